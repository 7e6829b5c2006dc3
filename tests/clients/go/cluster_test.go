// Package clients runs client-go, as operators use it, against the cluster that $KUBECONFIG leads to.
package clients

import (
	"context"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	protobuf = "application/vnd.kubernetes.protobuf"
	patience = 30 * time.Second
)

var definitions = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

func config(t *testing.T) *rest.Config {
	t.Helper()
	made, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		t.Fatal(err)
	}
	made.QPS, made.Burst = 1000, 1000
	return made
}

// answers counts what the server answered in, by content type.
type answers struct {
	next  http.RoundTripper
	lock  sync.Mutex
	count map[string]int
}

func (a *answers) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := a.next.RoundTrip(request)
	if err == nil && request.URL.Path != "/version" { // which is JSON whatever one asks for
		a.lock.Lock()
		defer a.lock.Unlock()
		a.count[strings.SplitN(response.Header.Get("Content-Type"), ";", 2)[0]]++
	}
	return response, err
}

// typed asks for Protocol Buffers as the Kubernetes' own components do, and fails the test when other answers come.
func typed(t *testing.T) kubernetes.Interface {
	t.Helper()
	made := config(t)
	seen := &answers{count: map[string]int{}}
	made.Wrap(func(next http.RoundTripper) http.RoundTripper {
		seen.next = next
		return seen
	})
	t.Cleanup(func() {
		if seen.count[protobuf] == 0 || seen.count["application/json"] > 0 {
			t.Errorf("answers by content type: %v", seen.count)
		}
	})
	made.ContentType = protobuf
	made.AcceptContentTypes = protobuf + ",application/json"
	client, err := kubernetes.NewForConfig(made)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func dynamicClient(t *testing.T) dynamic.Interface {
	t.Helper()
	client, err := dynamic.NewForConfig(config(t))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func background(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	t.Cleanup(cancel)
	return ctx
}

// namespaceFor is a namespace that goes with the test.
func namespaceFor(t *testing.T, client kubernetes.Interface) string {
	t.Helper()
	made, err := client.CoreV1().Namespaces().Create(context.TODO(),
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "go-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = client.CoreV1().Namespaces().Delete(context.TODO(), made.Name, metav1.DeleteOptions{})
	})
	return made.Name
}

func eventually(t *testing.T, what string, condition func() (bool, error)) {
	t.Helper()
	if err := wait.PollImmediate(20*time.Millisecond, patience, condition); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func deployment(name string, replicas int32) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "nginx:1.25"}}},
			},
		},
	}
}

// define makes a kind with spec.replicas, status.ready and a status subresource.
func define(t *testing.T, client dynamic.Interface, group, plural, kind string) schema.GroupVersionResource {
	t.Helper()
	name := plural + "." + group
	integer := map[string]interface{}{"type": "integer"}
	object := func(properties map[string]interface{}) map[string]interface{} {
		return map[string]interface{}{"type": "object", "properties": properties}
	}
	definition := &unstructured.Unstructured{Object: map[string]interface{}{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": map[string]interface{}{"name": name},
		"spec": map[string]interface{}{
			"group": group, "scope": "Namespaced", "names": map[string]interface{}{"plural": plural, "kind": kind},
			"versions": []interface{}{map[string]interface{}{
				"name": "v1", "served": true, "storage": true,
				"subresources": map[string]interface{}{"status": map[string]interface{}{}},
				"schema": map[string]interface{}{"openAPIV3Schema": object(map[string]interface{}{
					"spec":   object(map[string]interface{}{"replicas": integer, "image": map[string]interface{}{"type": "string"}}),
					"status": object(map[string]interface{}{"ready": integer}),
				})},
			}},
		},
	}}
	if _, err := client.Resource(definitions).Create(context.TODO(), definition, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Resource(definitions).Delete(context.TODO(), name, metav1.DeleteOptions{}) })
	eventually(t, "the definition is established", func() (bool, error) {
		now, err := client.Resource(definitions).Get(context.TODO(), name, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		conditions, _, _ := unstructured.NestedSlice(now.Object, "status", "conditions")
		for _, condition := range conditions {
			fields := condition.(map[string]interface{})
			if fields["type"] == "Established" && fields["status"] == "True" {
				return true, nil
			}
		}
		return false, nil
	})
	return schema.GroupVersionResource{Group: group, Version: "v1", Resource: plural}
}
