package compose

// checkTop judges the keys of the files' first level; compose-go's schema
// rejects those that Compose does not know.
func (a *app) checkTop() error {
	for _, d := range a.index.found["file/"] {
		for key, hint := range map[string]string{
			"jobs":    "write the job as a service that another needs with `condition: service_completed_successfully`, or with `x-syncd: {job: true}`",
			"models":  "run the model as a service",
			xSyncdKey: "x-syncd belongs to a service",
		} {
			if at, _ := child(d.node, key); at != nil {
				return rejected(hint, "%s:%d: %s is not supported here", d.file, at.Line, key)
			}
		}
		if at, _ := child(d.node, "version"); at != nil {
			a.note("%s:%d: version: ignored, as Compose does", d.file, at.Line)
		}
	}
	return nil
}
