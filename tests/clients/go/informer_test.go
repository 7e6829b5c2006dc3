package clients

import (
	"context"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

func TestSharedInformers(t *testing.T) {
	ctx, client := background(t), typed(t)
	namespace := namespaceFor(t, client)
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(namespace))
	deployments, pods := factory.Apps().V1().Deployments(), factory.Core().V1().Pods()
	available := make(chan struct{}, 100)
	deployments.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		UpdateFunc: func(_, now interface{}) {
			if now.(*appsv1.Deployment).Status.AvailableReplicas == 2 {
				available <- struct{}{}
			}
		},
	})
	gone := make(chan string, 100)
	pods.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		DeleteFunc: func(old interface{}) { gone <- old.(*corev1.Pod).Name },
	})
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	if _, err := client.AppsV1().Deployments(namespace).Create(ctx, deployment("seen", 2), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-available:
	case <-time.After(patience):
		t.Fatal("the informer never saw two available replicas")
	}
	eventually(t, "the lister shows two running pods", func() (bool, error) {
		found, err := pods.Lister().Pods(namespace).List(labels.SelectorFromSet(labels.Set{"app": "seen"}))
		running := 0
		for _, pod := range found {
			if pod.Status.Phase == corev1.PodRunning {
				running++
			}
		}
		return running == 2, err
	})
	background := metav1.DeletePropagationBackground
	if err := client.AppsV1().Deployments(namespace).Delete(ctx, "seen", metav1.DeleteOptions{PropagationPolicy: &background}); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < 2; i++ {
		select {
		case <-gone:
		case <-time.After(patience):
			t.Fatal("the informer never saw both pods go")
		}
	}
}

func TestMetadataClient(t *testing.T) {
	ctx, client := background(t), typed(t)
	namespace := namespaceFor(t, client)
	made, err := metadata.NewForConfig(config(t))
	if err != nil {
		t.Fatal(err)
	}
	resource := corev1.SchemeGroupVersion.WithResource("configmaps")
	factory := metadatainformer.NewFilteredSharedInformerFactory(made, 0, namespace, nil)
	informer := factory.ForResource(resource)
	seen := make(chan *metav1.PartialObjectMetadata, 100)
	informer.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(object interface{}) { seen <- object.(*metav1.PartialObjectMetadata) },
	})
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	if _, err := client.CoreV1().ConfigMaps(namespace).Create(ctx, configMap("light", "heavy"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	for deadline := time.After(patience); ; {
		select {
		case object := <-seen:
			if object.Name != "light" {
				continue
			}
			if object.UID == "" {
				t.Errorf("metadata %v", object)
			}
			return
		case <-deadline:
			t.Fatal("the metadata informer never saw the object")
		}
	}
}

// This release of client-go has no WatchList yet; what its later informers send is asked for by hand.
func TestWatchWithInitialEvents(t *testing.T) {
	ctx, client := background(t), typed(t)
	namespace := namespaceFor(t, client)
	for _, name := range []string{"a", "b"} {
		if _, err := client.CoreV1().ConfigMaps(namespace).Create(ctx, configMap(name, name), metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	events, err := client.CoreV1().RESTClient().Get().Namespace(namespace).Resource("configmaps").
		VersionedParams(&metav1.ListOptions{Watch: true, AllowWatchBookmarks: true, ResourceVersionMatch: "NotOlderThan"}, scheme.ParameterCodec).
		Param("sendInitialEvents", "true").Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer events.Stop()
	names := map[string]bool{}
	for event := range events.ResultChan() {
		object := event.Object.(*corev1.ConfigMap)
		if event.Type == watch.Added {
			names[object.Name] = true
			continue
		}
		if event.Type != watch.Bookmark || object.Annotations["k8s.io/initial-events-end"] != "true" || object.ResourceVersion == "" {
			t.Fatalf("event %v", event)
		}
		break
	}
	if !names["a"] || !names["b"] {
		t.Errorf("initial events of %v", names)
	}
}

// The second candidate leads when the first lets go, and the lease says who does.
func TestLeaderElection(t *testing.T) {
	ctx, client := background(t), typed(t)
	namespace := namespaceFor(t, client)
	run := func(ctx context.Context, identity string, leading chan<- string) {
		lock := &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Name: "leader", Namespace: namespace},
			Client:     client.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{Identity: identity},
		}
		leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
			Lock: lock, ReleaseOnCancel: true,
			LeaseDuration: 2 * time.Second, RenewDeadline: time.Second, RetryPeriod: 200 * time.Millisecond,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(context.Context) { leading <- identity },
				OnStoppedLeading: func() {},
			},
		})
	}
	leading := make(chan string, 10)
	first, stop := context.WithCancel(ctx)
	go run(first, "first", leading)
	if who := <-leading; who != "first" {
		t.Fatalf("%s leads", who)
	}
	go run(ctx, "second", leading)
	select {
	case who := <-leading:
		t.Fatalf("%s leads too", who)
	case <-time.After(time.Second):
	}
	stop()
	select {
	case who := <-leading:
		if who != "second" {
			t.Fatalf("%s leads", who)
		}
	case <-time.After(patience):
		t.Fatal("nobody leads")
	}
	lease, err := client.CoordinationV1().Leases(namespace).Get(ctx, "leader", metav1.GetOptions{})
	if err != nil || *lease.Spec.HolderIdentity != "second" || *lease.Spec.LeaseTransitions < 1 {
		t.Errorf("lease %v, %v", lease, err)
	}
}
