package clients

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedv1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
)

// A custom kind is found by discovery as soon as it is established, and gone when its definition is.
func TestDiscoveryAndRESTMapper(t *testing.T) {
	client, err := kubernetes.NewForConfig(config(t)) // newer ones take JSON alone for discovery
	if err != nil {
		t.Fatal(err)
	}
	dynamicClient := dynamicClient(t)
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client.Discovery()))
	mapping, err := mapper.RESTMapping(schema.GroupKind{Group: "apps", Kind: "Deployment"})
	if err != nil || mapping.Resource.Resource != "deployments" || mapping.Resource.Version != "v1" || mapping.Scope.Name() != meta.RESTScopeNameNamespace {
		t.Errorf("mapping %v, %v", mapping, err)
	}
	if kind, err := mapper.KindFor(schema.GroupVersionResource{Resource: "horizontalpodautoscalers"}); err != nil || kind.Group != "autoscaling" {
		t.Errorf("kind %v, %v", kind, err)
	}
	group := schema.GroupKind{Group: "mapper.example.com", Kind: "Late"}
	if _, err := mapper.RESTMapping(group); !meta.IsNoMatchError(err) {
		t.Errorf("a kind that is not there: %v", err)
	}
	define(t, dynamicClient, group.Group, "lates", group.Kind)
	mapper.Reset()
	if mapping, err := mapper.RESTMapping(group, "v1"); err != nil || mapping.Resource.Resource != "lates" {
		t.Errorf("mapping %v, %v", mapping, err)
	}
	lists, err := client.Discovery().ServerPreferredResources()
	if err != nil || len(lists) < 15 {
		t.Errorf("%d preferred lists, %v", len(lists), err)
	}
	version, err := client.Discovery().ServerVersion()
	if err != nil || version.Major != "1" {
		t.Errorf("version %v, %v", version, err)
	}
	document, err := client.Discovery().OpenAPISchema()
	if err != nil || len(document.GetDefinitions().GetAdditionalProperties()) < 300 {
		t.Errorf("OpenAPI: %v", err)
	}
}

// reconciler keeps a Deployment for each Shop and tells the Shop how many of its pods are ready.
type reconciler struct {
	shops  dynamic.NamespaceableResourceInterface
	client kubernetes.Interface
	queue  workqueue.RateLimitingInterface
	events record.EventRecorder
}

func (r *reconciler) reconcile(ctx context.Context, key string) error {
	namespace, name, _ := cache.SplitMetaNamespaceKey(key)
	shop, err := r.shops.Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
	if errors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	const finalizer = "operator.example.com/till"
	if shop.GetDeletionTimestamp() != nil {
		shop.SetFinalizers(nil)
		_, err := r.shops.Namespace(namespace).Update(ctx, shop, metav1.UpdateOptions{})
		return err
	}
	if len(shop.GetFinalizers()) == 0 {
		shop.SetFinalizers([]string{finalizer})
		if shop, err = r.shops.Namespace(namespace).Update(ctx, shop, metav1.UpdateOptions{}); err != nil {
			return err
		}
	}
	replicas, _, _ := unstructured.NestedInt64(shop.Object, "spec", "replicas")
	wanted := deployment(name, int32(replicas))
	wanted.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(shop, shop.GroupVersionKind())}
	found, err := r.client.AppsV1().Deployments(namespace).Get(ctx, name, metav1.GetOptions{})
	if errors.IsNotFound(err) {
		found, err = r.client.AppsV1().Deployments(namespace).Create(ctx, wanted, metav1.CreateOptions{})
		r.events.Event(shop, corev1.EventTypeNormal, "Opened", "made a deployment")
	} else if err == nil && *found.Spec.Replicas != int32(replicas) {
		found.Spec.Replicas = wanted.Spec.Replicas
		found, err = r.client.AppsV1().Deployments(namespace).Update(ctx, found, metav1.UpdateOptions{})
	}
	if err != nil {
		return err
	}
	if ready, _, _ := unstructured.NestedInt64(shop.Object, "status", "ready"); ready == int64(found.Status.ReadyReplicas) {
		return nil
	}
	_ = unstructured.SetNestedField(shop.Object, int64(found.Status.ReadyReplicas), "status", "ready")
	_, err = r.shops.Namespace(namespace).UpdateStatus(ctx, shop, metav1.UpdateOptions{})
	return err
}

func (r *reconciler) run(ctx context.Context) {
	for {
		key, quit := r.queue.Get()
		if quit {
			return
		}
		if err := r.reconcile(ctx, key.(string)); err != nil {
			r.queue.AddRateLimited(key)
		} else {
			r.queue.Forget(key)
		}
		r.queue.Done(key)
	}
}

func TestOperator(t *testing.T) {
	ctx, client, dynamicClient := background(t), typed(t), dynamicClient(t)
	namespace := namespaceFor(t, client)
	resource := define(t, dynamicClient, "operator.example.com", "shops", "Shop")
	broadcaster := record.NewBroadcaster()
	broadcaster.StartRecordingToSink(&typedv1.EventSinkImpl{Interface: client.CoreV1().Events("")})
	defer broadcaster.Shutdown()
	r := &reconciler{
		shops: dynamicClient.Resource(resource), client: client,
		queue:  workqueue.NewRateLimitingQueue(workqueue.DefaultControllerRateLimiter()),
		events: broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "shop-operator"}),
	}
	defer r.queue.ShutDown()
	enqueue := func(object interface{}) {
		if key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(object); err == nil {
			r.queue.Add(key)
		}
	}
	handler := cache.ResourceEventHandlerFuncs{AddFunc: enqueue, UpdateFunc: func(_, now interface{}) { enqueue(now) }, DeleteFunc: enqueue}
	shops := dynamicinformer.NewFilteredDynamicSharedInformerFactory(dynamicClient, 0, namespace, nil)
	shops.ForResource(resource).Informer().AddEventHandler(handler)
	owned := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(namespace))
	owned.Apps().V1().Deployments().Informer().AddEventHandler(handler) // a deployment has its shop's name
	shops.Start(ctx.Done())
	owned.Start(ctx.Done())
	shops.WaitForCacheSync(ctx.Done())
	owned.WaitForCacheSync(ctx.Done())
	go r.run(ctx)

	shop := &unstructured.Unstructured{Object: map[string]interface{}{
		"apiVersion": resource.GroupVersion().String(), "kind": "Shop", "metadata": map[string]interface{}{"name": "corner"},
		"spec": map[string]interface{}{"replicas": int64(2)},
	}}
	if _, err := r.shops.Namespace(namespace).Create(ctx, shop, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	ready := func(count int64) func() (bool, error) {
		return func() (bool, error) {
			now, err := r.shops.Namespace(namespace).Get(ctx, "corner", metav1.GetOptions{})
			if err != nil {
				return false, err
			}
			found, _, _ := unstructured.NestedInt64(now.Object, "status", "ready")
			return found == count, nil
		}
	}
	eventually(t, "two pods are ready", ready(2))
	for {
		now, err := r.shops.Namespace(namespace).Get(ctx, "corner", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		_ = unstructured.SetNestedField(now.Object, int64(3), "spec", "replicas")
		if _, err = r.shops.Namespace(namespace).Update(ctx, now, metav1.UpdateOptions{}); err == nil {
			break
		} else if !errors.IsConflict(err) {
			t.Fatal(err)
		}
	}
	eventually(t, "three pods are ready", ready(3))
	eventually(t, "the event is there", func() (bool, error) {
		events, err := client.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.kind=Shop,reason=Opened"})
		return err == nil && len(events.Items) == 1, err
	})
	if err := r.shops.Namespace(namespace).Delete(ctx, "corner", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the deployment goes with the shop", func() (bool, error) {
		_, err := client.AppsV1().Deployments(namespace).Get(ctx, "corner", metav1.GetOptions{})
		if err == nil {
			return false, nil
		}
		if errors.IsNotFound(err) {
			return true, nil
		}
		return false, fmt.Errorf("the deployment: %w", err)
	})
}
