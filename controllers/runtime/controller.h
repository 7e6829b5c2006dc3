// Controller: the base of every control loop: a name, a client with its own identity, and a work queue of keys.
//
// Level-based: reconcile(key) looks at the world and moves it one step; what woke it up is not told. After a
// reconcile that wrote something the same key runs again only when all informers have seen that write, so a
// controller never acts on a cache that lacks its own changes (kube-controller-manager counts expectations instead).
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/client.h"
#include "api/values/status.h"
#include "controllers/runtime/event_recorder.h"
#include "controllers/runtime/manager.h"
#include "controllers/runtime/work_queue.h"

namespace kubemu::controllers {

// What to do with the key afterwards: nothing, or run it again after a while.
struct Requeue {
    std::optional<Duration> after;
};

class Controller {
  public:
    // `name` as in kube-controller-manager's --controllers ("deployment"); `account` is the service account in
    // kube-system that writes ("deployment-controller"); a component that is no controller manager's gives its whole
    // user name instead ("system:kube-scheduler").
    // Events name `component`, when it is another than the account.
    Controller(Manager& manager, std::string_view name, std::string_view account, std::string_view component = {});
    virtual ~Controller();
    Controller(const Controller&) = delete;
    Controller& operator=(const Controller&) = delete;

    const std::string& name() const { return name_; }
    // An error is logged and retried at the pace of its RetryPolicy; a success forgets earlier failures.
    virtual api::ApiResult<Requeue> reconcile(const std::string& key) = 0;
    // Once, after the informers have their first state and before any key runs.
    virtual void start() {}

  protected:
    // Up to so many pieces of its work may have begun at a time: while the write of one waits for a webhook, other keys
    // run, timers fire and informers tell their news. That is for pieces that keep nothing of the controller's own across
    // a write: all of them, or those that say so. Without it: one.
    enum class Interleaved { all, chosen };
    void has_workers(std::size_t count, Interleaved which = Interleaved::all) {
        workers_ = count;
        interleaved_ = which;
    }
    // What runs now is one of the chosen.
    void interleave() { manager_.interleave(); }

    void enqueue(std::string key);
    void enqueue_after(std::string key, Duration delay);
    // The key failed when it ran last, and waits to be tried again.
    bool failing(const std::string& key) const { return queue_.failures(key) > 0; }
    // Queues the object itself / the object's controller of this kind, whenever a record of the informer changes.
    void enqueue_on_change(api::Informer& informer);
    void enqueue_owner_on_change(api::Informer& informer, std::string_view owner_kind);

    Manager& manager() { return manager_; }
    api::Client& client() { return client_; }
    const Clock& clock() const { return manager_.clock(); }
    Time now() const { return manager_.clock().now(); }
    EventRecorder& events() { return events_; }
    const api::KindSpec& kind(std::string_view resource) const { return manager_.kind(resource); }

  private:
    friend class Manager;
    friend class Workers;
    Manager& manager_;
    std::string name_;
    api::Client client_;
    EventRecorder events_;
    WorkQueue queue_;
    bool started_ = false, starting_ = false;
    std::size_t workers_ = 1;
    Interleaved interleaved_ = Interleaved::chosen;
    std::size_t waits_ = 0;  // pieces of its work that wait for a webhook
    std::size_t alone_ = 0;  // those among them beside which nothing else of the controller may run
    // What it is to be told when it no longer waits.
    std::vector<std::function<void()>> untold_;
};

// "namespace/name" apart; a key without a slash has an empty namespace.
struct ObjectKey {
    std::string_view namespace_name;
    std::string_view name;
};
ObjectKey split_key(std::string_view key);

}  // namespace kubemu::controllers
