// The loop: pump, release, fire, run; sleep until somebody writes or something is due.
#include "controllers/runtime/manager.h"

#include <algorithm>
#include <exception>
#include <limits>
#include <map>
#include <thread>

#include "controllers/runtime/controller.h"
#include "storage/base/log.h"
#include "storage/base/mutex.h"

namespace kubemu::controllers {

namespace {

// A key that waits for a write of a kind nobody watches has nobody to wake it when that write is published.
constexpr Duration unpublished_pause = std::chrono::milliseconds(10);
// A settle() that takes this many turns is two controllers undoing each other's work.
constexpr int settle_turns_max = 200'000;

}  // namespace

struct Manager::Impl {
    struct Timer {
        const void* owner;
        std::string name;
        std::function<void()> fire;
    };
    using TimerPlace = std::pair<Time, std::uint64_t>;

    explicit Impl(Options given) : options(given) {}

    Options options;
    std::map<std::string, std::unique_ptr<api::Informer>, std::less<>> informers;
    std::vector<std::unique_ptr<Controller>> controllers;
    std::vector<KindHandler> kind_handlers;
    std::map<TimerPlace, Timer> timers;
    std::map<std::pair<const void*, std::string>, TimerPlace> timer_places;
    std::uint64_t timer_sequence = 0;

    Mutex mutex;
    CondVar condition;
    bool awake KUBEMU_GUARDED_BY(mutex) = false;
    bool stopping KUBEMU_GUARDED_BY(mutex) = false;
    std::vector<std::function<void()>> posted KUBEMU_GUARDED_BY(mutex);
    std::thread thread;

    void wake() {
        Lock lock(mutex);
        awake = true;
        condition.notify_one();
    }

    bool run_posted() {
        std::vector<std::function<void()>> tasks;
        {
            Lock lock(mutex);
            tasks.swap(posted);
        }
        for (const auto& task : tasks) task();
        return !tasks.empty();
    }

    bool pump() {
        bool changed = false;
        for (const auto& [resource, informer] : informers) changed |= informer->pump();
        return changed;
    }

    // Every informer has seen all writes up to here.
    storage::Revision seen() const {
        storage::Revision least = std::numeric_limits<storage::Revision>::max();
        for (const auto& [resource, informer] : informers) least = std::min(least, informer->position());
        return informers.empty() ? options.registry.store().current_revision() : least;
    }

    bool fire_timers() {
        const Time now = options.clock.now();
        bool fired = false;
        while (!timers.empty() && timers.begin()->first.first <= now) {
            const Timer timer = std::move(timers.begin()->second);
            timers.erase(timers.begin());
            timer_places.erase({timer.owner, timer.name});
            timer.fire();
            fired = true;
        }
        return fired;
    }

    void run_key(Controller& controller, const std::string& key) {
        const storage::Revision before = controller.client_.last_revision();
        WorkQueue& queue = controller.queue_;
        const Time now = options.clock.now();
        try {
            const api::ApiResult<Requeue> result = controller.reconcile(key);
            if (result) {
                queue.forget(key);
                if (result->after) queue.add_at(key, now + *result->after);
            } else {
                // A conflict is the ordinary answer to a stale cache.
                log_line(result.error().code() == 409 ? LogLevel::debug : LogLevel::info, "reconcile failed",
                         {{"controller", controller.name_}, {"key", key}, {"error", result.error()->message}});
                queue.add_rate_limited(key, now);
            }
        } catch (const std::exception& bug) {
            log_line(LogLevel::error, "reconcile threw",
                     {{"controller", controller.name_}, {"key", key}, {"error", bug.what()}});
            queue.add_rate_limited(key, now);
        }
        const storage::Revision after = controller.client_.last_revision();
        if (after > before) {
            queue.done_after(key, after);
        } else {
            queue.done(key);
        }
    }

    bool run_keys() {
        bool ran = false;
        for (const auto& controller : controllers) {
            controller->queue_.release_due(options.clock.now());
            for (std::size_t left = controller->queue_.size(); left > 0; --left) {
                const std::optional<std::string> key = controller->queue_.take();
                if (!key) break;
                run_key(*controller, *key);
                ran = true;
            }
        }
        return ran;
    }

    // True when it did something.
    bool turn() {
        bool progress = run_posted();
        progress |= pump();
        for (std::size_t i = 0; i < controllers.size(); ++i) {
            if (controllers[i]->started_) continue;
            controllers[i]->started_ = true;
            controllers[i]->start();
            progress = true;
        }
        const storage::Revision position = seen();
        for (const auto& controller : controllers) controller->queue_.release(position);
        progress |= fire_timers();
        progress |= run_keys();
        return progress;
    }

    bool holds_keys() const {
        return std::any_of(controllers.begin(), controllers.end(),
                           [](const auto& controller) { return controller->queue_.waits_for_revision(); });
    }

    std::optional<Time> next_due() const {
        std::optional<Time> next;
        const auto consider = [&next](std::optional<Time> time) {
            if (time && (!next || *time < *next)) next = time;
        };
        if (!timers.empty()) consider(timers.begin()->first.first);
        for (const auto& controller : controllers) consider(controller->queue_.next_due());
        return next;
    }

    void loop() {
        while (true) {
            {
                Lock lock(mutex);
                if (stopping) return;
                awake = false;
            }
            if (turn()) continue;
            std::optional<Duration> pause;
            if (const std::optional<Time> due = next_due()) pause = std::max(Duration(1), *due - options.clock.now());
            if (holds_keys()) pause = std::min(pause.value_or(unpublished_pause), unpublished_pause);
            Lock lock(mutex);
            if (awake || stopping || !posted.empty()) continue;
            if (pause) {
                condition.wait_for(mutex, *pause);
            } else {
                condition.wait(mutex);
            }
        }
    }
};

Manager::Manager(Options options) : impl_(std::make_unique<Impl>(options)) {}

Manager::~Manager() {
    stop();
    impl_->controllers.clear();  // they refer to the informers
}

api::Informer& Manager::informer(std::string_view resource) {
    const auto found = impl_->informers.find(resource);
    if (found != impl_->informers.end()) return *found->second;
    auto made = std::make_unique<api::Informer>(impl_->options.registry.store(), std::string(resource),
                                                [impl = impl_.get()] { impl->wake(); });
    return *impl_->informers.emplace(std::string(resource), std::move(made)).first->second;
}

const api::KindSpec& Manager::kind(std::string_view resource) const {
    return impl_->options.registry.kinds().stored(resource);
}

api::Registry& Manager::registry() { return impl_->options.registry; }
const Clock& Manager::clock() const { return impl_->options.clock; }
Random& Manager::random() { return impl_->options.random; }

void Manager::set_timer(const void* owner, std::string_view name, std::optional<Time> when, std::function<void()> fire) {
    std::pair<const void*, std::string> id(owner, name);
    const auto known = impl_->timer_places.find(id);
    if (known != impl_->timer_places.end()) {
        impl_->timers.erase(known->second);
        impl_->timer_places.erase(known);
    }
    if (!when) return;
    const Impl::TimerPlace place(*when, ++impl_->timer_sequence);
    impl_->timers.emplace(place, Impl::Timer{owner, id.second, std::move(fire)});
    impl_->timer_places.emplace(std::move(id), place);
}

void Manager::on_kind_change(KindHandler handler) { impl_->kind_handlers.push_back(std::move(handler)); }

void Manager::kind_changed(const std::string& resource, const api::KindSpec* kind) {
    for (const KindHandler& handler : impl_->kind_handlers) handler(resource, kind);
    if (kind == nullptr) impl_->informers.erase(resource);
}

void Manager::post(std::function<void()> task) {
    Lock lock(impl_->mutex);
    impl_->posted.push_back(std::move(task));
    impl_->awake = true;
    impl_->condition.notify_one();
}

void Manager::add(std::unique_ptr<Controller> controller) { impl_->controllers.push_back(std::move(controller)); }

void Manager::settle() {
    storage::Store& store = impl_->options.registry.store();
    store.flush();
    for (int turns = 0; turns < settle_turns_max; ++turns) {
        const storage::Revision before = store.current_revision();
        const bool progress = impl_->turn();
        store.flush();
        if (!progress && store.current_revision() == before) return;
    }
    log_line(LogLevel::error, "the controllers do not come to rest");
}

std::optional<Time> Manager::next_due() const { return impl_->next_due(); }

void Manager::start() {
    if (impl_->thread.joinable()) return;
    {
        Lock lock(impl_->mutex);
        impl_->stopping = false;
    }
    impl_->thread = std::thread([impl = impl_.get()] { impl->loop(); });
}

void Manager::stop() {
    if (!impl_->thread.joinable()) return;
    {
        Lock lock(impl_->mutex);
        impl_->stopping = true;
        impl_->condition.notify_one();
    }
    impl_->thread.join();
}

}  // namespace kubemu::controllers
