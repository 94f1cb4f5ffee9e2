package kube

import (
	"context"
	"fmt"
	"io/fs"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"syncd.io/syncd/internal/blob"
	"syncd.io/syncd/internal/fault"
)

// What tells the agent's own Secrets from others. They do not have the label
// syncd.io/app: they are no app's objects.
const (
	partLabel     = "syncd.io/part"
	ofAnnotation  = "syncd.io/of"
	secretType    = corev1.SecretType("syncd.io/record")
	contentKey    = "content"
	secretsOfOurs = LabelManagedBy + "=" + Manager + "," + partLabel
	protobuf      = "application/vnd.kubernetes.protobuf"
)

// Secrets keeps blobs as Secrets of one namespace.
type Secrets struct {
	namespace string
	client    typed
}

// NewSecrets returns the Secrets of a namespace. It asks nobody.
func NewSecrets(cfg *rest.Config, namespace string) (*Secrets, error) {
	cfg = rest.CopyConfig(cfg)
	cfg.ContentType, cfg.AcceptContentTypes = protobuf, protobuf+",application/json" // base64 would make a third more of it
	client, err := newTyped(cfg, nil, corev1.SchemeGroupVersion, &corev1.Secret{}, &corev1.SecretList{})
	if err != nil {
		return nil, unusable(fmt.Errorf("make the client for Secrets: %w", err), "check the kubeconfig")
	}
	return &Secrets{namespace: namespace, client: client}, nil
}

// at is a request about the Secrets of the namespace.
func (s *Secrets) at(r *rest.Request) *rest.Request {
	return r.Namespace(s.namespace).Resource("secrets")
}

// List returns all blobs of the namespace, as they are now.
func (s *Secrets) List(ctx context.Context) ([]blob.Blob, error) {
	var list corev1.SecretList
	err := s.at(s.client.Get()).VersionedParams(&metav1.ListOptions{LabelSelector: secretsOfOurs}, s.client.params).Do(ctx).Into(&list)
	if err != nil {
		return nil, s.trouble("list Secrets", "", err)
	}
	out := make([]blob.Blob, 0, len(list.Items))
	for i := range list.Items {
		out = append(out, blobOf(&list.Items[i]))
	}
	return out, nil
}

// Get returns one blob; fs.ErrNotExist where there is none.
func (s *Secrets) Get(ctx context.Context, name string) (blob.Blob, error) {
	var secret corev1.Secret
	if err := s.at(s.client.Get()).Name(name).Do(ctx).Into(&secret); err != nil {
		return blob.Blob{}, s.trouble("read Secret", name, err)
	}
	return blobOf(&secret), nil
}

// Put writes b in place of the version that it names, or as a new one where it
// names none, and returns its new version. fs.ErrExist where something else is
// there; fs.ErrNotExist where the version that it names is gone.
func (s *Secrets) Put(ctx context.Context, b blob.Blob) (version string, err error) {
	request := s.at(s.client.Post()).VersionedParams(&metav1.CreateOptions{FieldManager: Manager}, s.client.params)
	if b.Version != "" {
		request = s.at(s.client.Put()).Name(b.Name).VersionedParams(&metav1.UpdateOptions{FieldManager: Manager}, s.client.params)
	}
	var written corev1.Secret
	err = request.Body(s.secret(b)).Do(ctx).Into(&written)
	switch {
	case b.Version == "" && apierrors.IsNotFound(err):
		err = unusable(fmt.Errorf("write Secret %s/%s: %w", s.namespace, b.Name, err), "make the namespace, or name another: kubernetes.namespace")
		return "", err
	case err != nil:
		return "", s.trouble("write Secret", b.Name, err)
	}
	return written.ResourceVersion, nil
}

// Delete removes b where it still has the version that it names, whatever there
// is where it names none; one that is gone is success, one that has changed
// fs.ErrExist.
func (s *Secrets) Delete(ctx context.Context, b blob.Blob) error {
	var opts metav1.DeleteOptions
	if b.Version != "" {
		opts.Preconditions = &metav1.Preconditions{ResourceVersion: &b.Version}
	}
	if err := s.at(s.client.Delete()).Name(b.Name).Body(&opts).Do(ctx).Error(); err != nil && !apierrors.IsNotFound(err) {
		return s.trouble("delete Secret", b.Name, err)
	}
	return nil
}

func (s *Secrets) secret(b blob.Blob) *corev1.Secret {
	out := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name: b.Name, Namespace: s.namespace, ResourceVersion: b.Version,
			Labels: map[string]string{LabelManagedBy: Manager, partLabel: b.Part},
		},
		Type: secretType, Data: map[string][]byte{contentKey: b.Data},
	}
	if b.Of != "" {
		out.Annotations = map[string]string{ofAnnotation: b.Of}
	}
	if b.Fixed {
		out.Immutable = &b.Fixed
	}
	return out
}

func blobOf(s *corev1.Secret) blob.Blob {
	return blob.Blob{
		Name: s.Name, Part: s.Labels[partLabel], Of: s.Annotations[ofAnnotation], Data: s.Data[contentKey],
		Fixed: s.Immutable != nil && *s.Immutable, Version: s.ResourceVersion, Made: s.CreationTimestamp.Time,
	}
}

// trouble says what became of a call. What the cluster refuses is blocked, and not
// the app's fault whose record it is.
func (s *Secrets) trouble(doing, name string, err error) error {
	where := doing + " " + s.namespace + "/" + name
	if name == "" {
		where = doing + " of namespace " + s.namespace
	}
	switch {
	case apierrors.IsAlreadyExists(err), apierrors.IsConflict(err):
		return fmt.Errorf("%s: %w", where, fs.ErrExist)
	case apierrors.IsNotFound(err):
		return fmt.Errorf("%s: %w", where, fs.ErrNotExist)
	}
	out := classified(err, where)
	switch {
	case fault.Of(out) == fault.Unreachable || fault.Of(out) == fault.Unknown:
		return fault.As(fault.Unreachable, out)
	case apierrors.IsForbidden(err) && fault.Of(out) == fault.Blocked:
		out = fault.Hint(out, "the agent's Role needs get, list, create, update and delete of secrets in namespace "+s.namespace+": deploy/kubernetes has one")
	}
	return fault.As(fault.Blocked, out)
}
