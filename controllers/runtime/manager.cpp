// The loop: pump, release, fire, run; sleep until somebody writes or something is due.
#include "controllers/runtime/manager.h"

#include <algorithm>
#include <exception>
#include <limits>
#include <map>
#include <thread>
#include <utility>

#include "controllers/runtime/controller.h"
#include "storage/base/idle_memory.h"
#include "storage/base/log.h"
#include "storage/base/mutex.h"

namespace kubemu::controllers {

namespace {

// A key that waits for a write of a kind nobody watches has nobody to wake it when that write is published.
constexpr Duration unpublished_pause = std::chrono::milliseconds(10);
// A settle() that takes this many turns is two controllers undoing each other's work.
constexpr int settle_turns_max = 200'000;
constexpr int conflicts_at_once_max = 10;
// A pause this long is worth giving memory back for, when this much has been written since it was done last.
constexpr Duration rest_min = std::chrono::seconds(1);
constexpr storage::Revision rest_after_writes = 1000;

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
    std::vector<std::function<void()>> settled KUBEMU_GUARDED_BY(mutex);  // tasks for when everything has been done
    std::thread thread;
    storage::Revision rested_at = 0;

    void wake() {
        Lock lock(mutex);
        awake = true;
        condition.notify_one();
    }

    using Tasks = std::vector<std::function<void()>>;

    static bool run(const Tasks& tasks) {
        for (const auto& task : tasks) task();
        return !tasks.empty();
    }

    Tasks take_posted() {
        Lock lock(mutex);
        return std::exchange(posted, {});
    }

    Tasks take_settled() {
        Lock lock(mutex);
        return std::exchange(settled, {});
    }

    bool pump() {
        const storage::Revision announced = options.registry.store().announced_revision();
        bool changed = false;
        for (const auto& [resource, informer] : informers) changed |= informer->refresh(announced);
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

    bool clock_stands_still() const { return options.paced != nullptr && options.paced->stands_still(); }

    // A conflict is the ordinary answer to a stale cache. Where the clock stands still it is tried again with what the
    // cache has learned by then, since the few milliseconds of the back-off would not pass; a conflict that stays is
    // for later.
    Time retry_base(const WorkQueue& queue, const std::string& key, int code, Time now) const {
        return code == 409 && clock_stands_still() && queue.failures(key) < conflicts_at_once_max ? Time{} : now;
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
                const int code = result.error().code();
                log_line(code == 409 ? LogLevel::debug : LogLevel::info, "reconcile failed",
                         {{"controller", controller.name_}, {"key", key}, {"error", result.error()->message}});
                queue.add_rate_limited(key, retry_base(queue, key, code, now));
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
        bool progress = run(take_posted());
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

    std::optional<Duration> machine_time_until(Time when) const {
        if (options.paced == nullptr) return std::max(Duration(1), when - options.clock.now());
        const std::optional<Duration> time = options.paced->machine_time_until(when);
        return time ? std::optional<Duration>(std::max(Duration(1), *time)) : std::nullopt;
    }

    // Called when a turn had nothing to do. True when it did something.
    bool run_settled() {
        {
            Lock lock(mutex);
            if (settled.empty()) return false;
        }
        options.registry.store().flush();  // what is on its way to the disk is somebody's work too
        return turn() || run(take_settled());
    }

    // Before a pause in which nothing is waited for but time and others.
    void rest(std::optional<Duration> pause) {
        options.registry.forget_documents();
        const storage::Revision now = options.registry.store().current_revision();
        if ((pause && *pause < rest_min) || (rested_at > 0 && now - rested_at < rest_after_writes)) return;
        rested_at = now;
        give_back_memory();
    }

    void loop() {
        while (true) {
            {
                Lock lock(mutex);
                if (stopping) return;
                awake = false;
            }
            // A clock that stands still is there for runs that can be repeated: what a turn sees may not depend on how
            // far the storage thread has come.
            storage::this_thread_flushes(clock_stands_still());
            if (clock_stands_still()) options.registry.store().flush();
            if (turn() || run_settled()) continue;
            std::optional<Duration> pause;
            if (const std::optional<Time> due = next_due()) pause = machine_time_until(*due);
            if (holds_keys()) pause = std::min(pause.value_or(unpublished_pause), unpublished_pause);
            else rest(pause);
            Lock lock(mutex);
            if (awake || stopping || !posted.empty() || !settled.empty()) continue;
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

void Manager::when_settled(std::function<void()> task) {
    Lock lock(impl_->mutex);
    impl_->settled.push_back(std::move(task));
    impl_->awake = true;
    impl_->condition.notify_one();
}

std::optional<Duration> Manager::machine_time_until(Time when) const { return impl_->machine_time_until(when); }

void Manager::on_clock_turned(std::weak_ptr<std::function<void()>> turned) {
    if (impl_->options.paced != nullptr) impl_->options.paced->on_turn(std::move(turned));
}

void Manager::add(std::unique_ptr<Controller> controller) { impl_->controllers.push_back(std::move(controller)); }

void Manager::settle() {
    storage::Store& store = impl_->options.registry.store();
    store.flush();
    for (int turns = 0; turns < settle_turns_max; ++turns) {
        const storage::Revision before = store.current_revision();
        const bool progress = impl_->turn();
        store.flush();
        if (!progress && store.current_revision() == before && !impl_->run_settled()) return;
    }
    log_line(LogLevel::error, "the controllers do not come to rest");
}

std::optional<Time> Manager::next_due() const { return impl_->next_due(); }

std::vector<Manager::Waiting> Manager::waiting(std::size_t count) const {
    std::vector<Waiting> all;
    const auto name_of = [this](const void* owner) {
        for (const auto& controller : impl_->controllers) {
            if (controller.get() == owner) return controller->name() + ": ";
        }
        return std::string();
    };
    for (const auto& [place, timer] : impl_->timers) all.push_back({place.first, name_of(timer.owner) + timer.name});
    for (const auto& controller : impl_->controllers) {
        controller->queue_.each_delayed([&](Time due, const std::string& key) { all.push_back({due, controller->name() + " " + key}); });
    }
    std::stable_sort(all.begin(), all.end(), [](const Waiting& a, const Waiting& b) { return a.due < b.due; });
    if (all.size() > count) all.resize(count);
    return all;
}

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
