// What every controller has: its identity, its queue, and the subscriptions that fill it.
#include "controllers/runtime/controller.h"

#include "api/registry.h"

namespace kubemu::controllers {

namespace {

api::User user_of(std::string_view account) {
    api::User user;
    if (account.starts_with("system:")) {
        user.name = std::string(account);
        user.groups = {"system:masters", "system:authenticated"};
        return user;
    }
    // The scheduler is a program of its own, and authorized as such.
    if (account == "kube-scheduler") {
        user.name = "system:kube-scheduler";
        user.groups = {"system:authenticated"};
        return user;
    }
    user.name = "system:serviceaccount:kube-system:" + std::string(account);
    user.groups = {"system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"};
    return user;
}

// The registry derives the field manager from the part before the slash. Scheduler and kubelets are programs of their own;
// what kube-apiserver does inside itself, it does by its name.
std::string user_agent_of(std::string_view account) {
    if (account == "kube-scheduler" || account == "kubelet") return std::string(account);
    return account.starts_with("system:") ? "kube-apiserver" : "kube-controller-manager";
}

void enqueue_controller_of(const storage::RecordPtr& record, std::string_view kind,
                           const std::function<void(std::string)>& enqueue) {
    if (record == nullptr) return;
    const api::ObjectView& view = api::view_of(*record);
    const api::OwnerReference* owner = view.controller();
    if (owner != nullptr && owner->kind == kind) enqueue(api::object_key(view.namespace_name, owner->name));
}

}  // namespace

Controller::Controller(Manager& manager, std::string_view name, std::string_view account, std::string_view component)
    : manager_(manager),
      name_(name),
      client_(manager.registry(), user_of(account), user_agent_of(account)),
      events_(manager, client_,
              std::string(!component.empty()               ? component
                          : account.starts_with("system:") ? name
                                                           : account)),
      queue_(retry_policy(name)) {
    manager.begin(*this);
}

Controller::~Controller() = default;

void Controller::enqueue(std::string key) { queue_.add(key); }

void Controller::enqueue_after(std::string key, Duration delay) {
    if (delay <= Duration::zero()) {
        queue_.add(key);
    } else {
        queue_.add_at(key, now() + delay);
    }
}

void Controller::enqueue_on_change(api::Informer& informer) {
    informer.subscribe([this](const api::Informer::Change& change) {
        enqueue((change.after != nullptr ? change.after : change.before)->key);
    });
}

void Controller::enqueue_owner_on_change(api::Informer& informer, std::string_view owner_kind) {
    informer.subscribe([this, kind = std::string(owner_kind)](const api::Informer::Change& change) {
        const auto add = [this](std::string key) { enqueue(std::move(key)); };
        enqueue_controller_of(change.before, kind, add);  // it may have been released
        enqueue_controller_of(change.after, kind, add);
    });
}

ObjectKey split_key(std::string_view key) {
    const std::size_t slash = key.find('/');
    if (slash == std::string_view::npos) return {{}, key};
    return {key.substr(0, slash), key.substr(slash + 1)};
}

}  // namespace kubemu::controllers
