package clients

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"
)

func configMap(name, value string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string]string{"value": value}}
}

// What is written and read as Protocol Buffers is the same object as in JSON.
func TestProtocolBuffersAndJSONShowTheSame(t *testing.T) {
	ctx, client := background(t), typed(t)
	namespace := namespaceFor(t, client)
	made := deployment("same", 1)
	probe := &corev1.Probe{}
	probe.TCPSocket = &corev1.TCPSocketAction{Port: intstr.FromInt(80)}
	made.Spec.Template.Spec.Containers[0].ReadinessProbe = probe
	written, err := client.AppsV1().Deployments(namespace).Create(ctx, made, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	plain, err := kubernetes.NewForConfig(config(t))
	if err != nil {
		t.Fatal(err)
	}
	read, err := plain.AppsV1().Deployments(namespace).Get(ctx, "same", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if written.UID != read.UID || read.Spec.Template.Spec.Containers[0].ReadinessProbe.TCPSocket.Port.IntValue() != 80 {
		t.Errorf("written %v, read %v", written, read)
	}
	if read.Spec.Strategy.RollingUpdate.MaxSurge.String() != "25%" {
		t.Errorf("no defaults: %v", read.Spec.Strategy)
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "bytes"}, Data: map[string][]byte{"k": {0, 1, 0xff}}}
	if _, err := client.CoreV1().Secrets(namespace).Create(ctx, secret, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	back, err := plain.CoreV1().Secrets(namespace).Get(ctx, "bytes", metav1.GetOptions{})
	if err != nil || string(back.Data["k"]) != "\x00\x01\xff" {
		t.Errorf("bytes came back as %v, %v", back, err)
	}
}

func TestErrorsAreRecognised(t *testing.T) {
	ctx, client := background(t), typed(t)
	maps := client.CoreV1().ConfigMaps(namespaceFor(t, client))
	if _, err := maps.Get(ctx, "nobody", metav1.GetOptions{}); !errors.IsNotFound(err) {
		t.Errorf("not found: %v", err)
	}
	first, err := maps.Create(ctx, configMap("one", "1"), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := maps.Create(ctx, configMap("one", "1"), metav1.CreateOptions{}); !errors.IsAlreadyExists(err) {
		t.Errorf("exists: %v", err)
	}
	_, err = maps.Create(ctx, configMap("No_Name", "1"), metav1.CreateOptions{})
	if !errors.IsInvalid(err) || len(err.(*errors.StatusError).ErrStatus.Details.Causes) != 1 {
		t.Errorf("invalid: %v", err)
	}
	changed := first.DeepCopy()
	changed.Data["value"] = "2"
	if _, err := maps.Update(ctx, changed, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := maps.Update(ctx, first, metav1.UpdateOptions{}); !errors.IsConflict(err) {
		t.Errorf("conflict: %v", err)
	}
	tries := 0
	err = retry.RetryOnConflict(retry.DefaultRetry, func() error {
		tries++
		if tries > 1 {
			if first, err = maps.Get(ctx, "one", metav1.GetOptions{}); err != nil {
				return err
			}
		}
		_, err := maps.Update(ctx, first, metav1.UpdateOptions{})
		return err
	})
	if err != nil || tries != 2 {
		t.Errorf("retried %d times: %v", tries, err)
	}
	wrong := metav1.NewUIDPreconditions("another")
	if err := maps.Delete(ctx, "one", metav1.DeleteOptions{Preconditions: wrong}); !errors.IsConflict(err) {
		t.Errorf("precondition: %v", err)
	}
}

func TestPatchesAndApply(t *testing.T) {
	ctx, client := background(t), typed(t)
	deployments := client.AppsV1().Deployments(namespaceFor(t, client))
	if _, err := deployments.Create(ctx, deployment("patched", 1), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	force := true
	for _, step := range []struct {
		kind    types.PatchType
		body    string
		options metav1.PatchOptions
	}{
		{types.StrategicMergePatchType, `{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"busybox"}]}}}}`, metav1.PatchOptions{}},
		{types.MergePatchType, `{"metadata":{"annotations":{"a":"b"}}}`, metav1.PatchOptions{}},
		{types.JSONPatchType, `[{"op":"replace","path":"/spec/replicas","value":3}]`, metav1.PatchOptions{}},
		{types.ApplyPatchType, `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"patched"},"spec":{"replicas":4}}`,
			metav1.PatchOptions{FieldManager: "operator", Force: &force}},
	} {
		if _, err := deployments.Patch(ctx, "patched", step.kind, []byte(step.body), step.options); err != nil {
			t.Fatalf("%s: %v", step.kind, err)
		}
	}
	now, err := deployments.Get(ctx, "patched", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if *now.Spec.Replicas != 4 || len(now.Spec.Template.Spec.Containers) != 2 || now.Annotations["a"] != "b" {
		t.Errorf("patched to %v", now)
	}
	_, err = deployments.Patch(ctx, "patched", types.ApplyPatchType,
		[]byte(`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"patched"},"spec":{"replicas":9}}`),
		metav1.PatchOptions{FieldManager: "other"})
	if !errors.IsConflict(err) || !strings.Contains(err.Error(), `conflict with "operator"`) {
		t.Errorf("apply over another's field: %v", err)
	}
}

// A list in pages, and a watch from where it ended.
func TestListsInPagesAndWatch(t *testing.T) {
	ctx, client := background(t), typed(t)
	maps := client.CoreV1().ConfigMaps(namespaceFor(t, client))
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		if _, err := maps.Create(ctx, configMap(name, name), metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	found, options := 0, metav1.ListOptions{Limit: 2}
	var version string
	for {
		page, err := maps.List(ctx, options)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			if item.Data["value"] == item.Name {
				found++
			}
		}
		if options.Continue, version = page.Continue, page.ResourceVersion; page.Continue == "" {
			break
		}
	}
	if found != 5 {
		t.Errorf("%d items in pages", found)
	}
	events, err := maps.Watch(ctx, metav1.ListOptions{ResourceVersion: version, FieldSelector: "metadata.name=b"})
	if err != nil {
		t.Fatal(err)
	}
	defer events.Stop()
	if err := maps.Delete(ctx, "a", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := maps.Delete(ctx, "b", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	event := <-events.ResultChan()
	if event.Type != watch.Deleted || event.Object.(*corev1.ConfigMap).Name != "b" {
		t.Errorf("event %v", event)
	}
}
