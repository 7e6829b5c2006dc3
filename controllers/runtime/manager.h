// Manager: the control loop. It owns the informers, the work queues and the timers of all controllers and runs them
// one at a time, so that controllers need no locks and a run is the same every time.
//
// A turn: pump the informers (which fills queues), run the keys that are due, fire the timers that are due. It sleeps
// until somebody writes or the next timer is due; it never polls.
//
// A write may have to wait for a webhook. Meanwhile the loop goes on, on another thread (LoopThreads): the key stays in
// work, and of a controller that has no other worker (see Controller::has_workers) nothing runs until the write has
// ended: its keys and timers wait, and what its informers tell it is told afterwards. With a clock that stands still
// everybody else does what there is to do now, and then those that wait go on in the order in which they began to.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/client.h"
#include "api/informer.h"
#include "api/registry.h"
#include "controllers/runtime/event_recorder.h"
#include "storage/base/clock.h"
#include "storage/base/paced_clock.h"
#include "storage/base/random.h"

namespace kubemu::api {
class RemoteCaller;
}

namespace kubemu::controllers {

class Controller;

class Manager {
  public:
    struct Options {
        api::Registry& registry;
        const Clock& clock;
        Random& random;
        PacedClock* paced = nullptr;  // `clock`, where it may run at another pace than the machine's
        api::RemoteCaller* remote = nullptr;  // who calls webhooks for controllers' writes; null: nobody does
    };
    explicit Manager(Options options);
    ~Manager();

    // For controllers, in their constructors.
    api::Informer& informer(std::string_view resource);  // shared; for example "pods", "deployments.apps"
    const api::KindSpec& kind(std::string_view resource) const;
    api::Registry& registry();
    const Clock& clock() const;
    Random& random();
    // Calls `fire` on the control thread at `when` (at once when it is past). A timer with the same owner and name
    // replaces the earlier one; std::nullopt as time removes it.
    void set_timer(const void* owner, std::string_view name, std::optional<Time> when, std::function<void()> fire);
    // For controllers that deal with objects of every kind: `handler` hears of resources of CustomResourceDefinitions
    // that come, with their spec, change it, or go (null); the spec is valid until then. What was there when the
    // controller was made is in KindRegistry::stored_kinds.
    using KindHandler = std::function<void(const std::string& resource, const api::KindSpec* kind)>;
    void on_kind_change(KindHandler handler);
    // Tells the handlers, and forgets the informer of a resource that went. On the control thread.
    void kind_changed(const std::string& resource, const api::KindSpec* kind);
    // Runs `task` on the control thread soon. From any thread.
    void post(std::function<void()> task);
    // Runs `task` on the control thread when there is nothing left to do before the next timer. From any thread.
    void when_settled(std::function<void()> task);
    // How long the machine takes until the clock shows `when`; nothing when somebody has to turn it.
    std::optional<Duration> machine_time_until(Time when) const;
    // `turned` is called after each turn of a clock that stands still, as long as the caller keeps it.
    void on_clock_turned(std::weak_ptr<std::function<void()>> turned);

    void add(std::unique_ptr<Controller> controller);

    // Everything that can be done now, on this thread; returns when there is nothing left to do before the next
    // timer. `flush` is called between turns so that writes become visible (a store without a thread of its own).
    void settle();
    // When the next timer or delayed key is due; nothing when none is.
    std::optional<Time> next_due() const;
    struct Waiting {
        Time due{};
        std::string what;  // "cronjob default/hello", "kubelet: leases"
    };
    // The first `count` timers and delayed keys, the earliest first. On the control thread.
    std::vector<Waiting> waiting(std::size_t count) const;

    // The loop on a thread of its own.
    void start();
    void stop();  // returns when the thread has ended

  private:
    friend class Controller;
    // What is subscribed and set from now on is this controller's, until it is added.
    void begin(Controller& controller);
    // See Controller.
    void interleave();
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace kubemu::controllers
