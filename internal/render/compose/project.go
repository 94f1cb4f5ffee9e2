package compose

import (
	"cmp"
	"context"
	"fmt"
	"maps"

	"github.com/compose-spec/compose-go/v2/consts"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"

	"syncd.io/syncd/internal/render/find"
	"syncd.io/syncd/internal/render/mistake"
	"syncd.io/syncd/internal/render/repo"
	"syncd.io/syncd/internal/render/syntax"
)

// load reads the app's files into a.project.
func (a *app) load(ctx context.Context) error {
	files, err := a.files()
	if err != nil {
		return err
	}
	a.index = newIndex(files[0])
	if err := a.environment(); err != nil {
		return err
	}
	scan := newScanner(a)
	for _, file := range files {
		if err := scan.compose(file, newPlace(a.req.App.Dir, a.env)); err != nil {
			return err
		}
	}
	a.project, err = a.compose(ctx, files, scan)
	return err
}

// files returns the app's Compose files: those of .syncd.yaml, else as Compose
// finds them.
func (a *app) files() ([]string, error) {
	var out []string
	given := map[string]bool{}
	for _, name := range a.req.App.Config.Compose {
		file, err := repo.Join(a.req.App.Dir, name)
		switch {
		case err != nil:
			return nil, mistake.Rejected("", "%s: compose: %s: %w", a.path(find.Settings), name, err)
		case given[file]:
			return nil, mistake.Rejected("", "%s: compose: %s is there twice", a.path(find.Settings), name)
		case len(out) == maxFiles:
			return nil, mistake.Rejected("", "%s: compose: more than %d files", a.path(find.Settings), maxFiles)
		}
		given[file] = true
		out = append(out, file)
	}
	if len(out) > 0 {
		return out, nil
	}
	found := a.firstOf(composeFiles())
	if len(found) == 0 {
		return nil, mistake.Rejected("add a compose.yaml, or name the files with `compose:` in .syncd.yaml", "%s: no Compose file", a.req.App.Dir)
	}
	if len(found) > 1 {
		a.note("%s: ignored, since %s is there too", found[1], found[0])
	}
	out = found[:1]
	if override := a.firstOf(overrideFiles()); len(override) > 0 {
		out = append(out, override[0])
	}
	return out, nil
}

func (a *app) firstOf(names []string) []string {
	var out []string
	for _, name := range names {
		if a.repo.Exists(a.path(name)) {
			out = append(out, a.path(name))
		}
	}
	return out
}

// environment makes what references see. Compose's own settings in .env would
// change what is loaded: they have their places in .syncd.yaml.
func (a *app) environment() error {
	var files []string
	if name := a.path(".env"); a.repo.Exists(name) {
		files = []string{name}
	}
	env, err := a.readDotEnv(files, a.req.Values)
	if err != nil {
		return err
	}
	for _, name := range composeSettings(env, a.req.Values) {
		if err := a.setting(name, env[name]); err != nil {
			return err
		}
	}
	env[consts.ComposeProjectName] = a.req.App.Name
	a.env = env
	return nil
}

func (a *app) setting(name, value string) error {
	config, file := a.req.App.Config, a.path(".env")
	switch {
	case name == "COMPOSE_PROJECT_NAME" && value != a.req.App.Name:
		return mistake.Rejected("write `name: "+value+"` into "+a.path(find.Settings), "%s: COMPOSE_PROJECT_NAME: the project is called %s", file, a.req.App.Name)
	case name == "COMPOSE_PROJECT_NAME":
	case name == "COMPOSE_FILE" && len(config.Compose) == 0:
		return mistake.Rejected("list the files with `compose:` in "+a.path(find.Settings), "%s: COMPOSE_FILE is not read", file)
	case name == "COMPOSE_PROFILES" && value != "" && len(config.Profiles) == 0:
		return mistake.Rejected("list them with `profiles:` in "+a.path(find.Settings), "%s: COMPOSE_PROFILES is not read", file)
	default:
		a.note("%s: %s: ignored", file, name)
	}
	return nil
}

// compose runs compose-go over files that the scanner has seen.
func (a *app) compose(ctx context.Context, files []string, scan *scanner) (project *types.Project, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = mistake.Rejected("", "%s: compose-go cannot read this: %s", a.index.main, a.mask(fmt.Sprint(r)))
		}
	}()
	a.variables.sealed = true
	details, err := a.details(files)
	if err != nil {
		return nil, err
	}
	options := []func(*loader.Options){func(o *loader.Options) {
		o.SetProjectName(a.req.App.Name, true)
		o.Profiles = a.req.App.Config.Profiles
		o.Interpolate.Substitute = a.variables.substitute
		o.ResourceLoaders = []loader.ResourceLoader{newGate(a.repo, scan.leads)}
		o.SkipResolveEnvironment, o.SkipResolveLabels = true, true
		o.MaxNodeVisits = syntax.MaxNodes
	}}
	model, err := loader.LoadModelWithContext(ctx, details, options...)
	if err != nil {
		return nil, cmp.Or(a.mistake(ctx, scan.docs), a.loadError(ctx, err))
	}
	a.unknownProfiles(model)
	if err := a.entangled(model); err != nil {
		return nil, err
	}
	project, err = loader.ModelToProject(model, loader.ToOptions(&details, options), details)
	if err != nil {
		return nil, cmp.Or(a.undefined(model), a.loadError(ctx, err))
	}
	return project, nil
}

// details are the app's own files and what their references see.
func (a *app) details(files []string) (types.ConfigDetails, error) {
	out := types.ConfigDetails{WorkingDir: a.repo.Abs(a.req.App.Dir), Environment: maps.Clone(a.env)}
	for _, file := range files {
		content, err := a.repo.Read(file, maxFile)
		if err != nil {
			return out, err
		}
		out.ConfigFiles = append(out.ConfigFiles, types.ConfigFile{Filename: a.repo.Abs(file), Content: content})
	}
	return out, nil
}

// unknownProfiles notes profiles of .syncd.yaml that no service has.
func (a *app) unknownProfiles(model map[string]any) {
	known := map[string]bool{"*": true}
	for _, s := range mapAt(model, "services") {
		service, _ := s.(map[string]any)
		for _, p := range texts(service["profiles"]) {
			known[p] = true
		}
	}
	for _, p := range a.req.App.Config.Profiles {
		if !known[p] {
			a.note("%s: profiles: no service has the profile %s", a.path(find.Settings), p)
		}
	}
}
