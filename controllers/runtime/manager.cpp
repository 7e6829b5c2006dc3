// The loop: pump, release, fire, run; sleep until somebody writes or something is due.
#include "controllers/runtime/manager.h"

#include <algorithm>
#include <exception>
#include <limits>
#include <map>
#include <utility>

#include "api/kind_registry.h"
#include "controllers/runtime/controller.h"
#include "controllers/runtime/timers.h"
#include "controllers/runtime/workers.h"
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
// A pause this long is worth giving memory back for, when this much has been written since it was done last; or this
// much time has passed, in which others may have listed thousands of objects.
constexpr Duration rest_min = std::chrono::seconds(1);
constexpr storage::Revision rest_after_writes = 1000;
constexpr Duration rest_again_after = std::chrono::minutes(1);

}  // namespace

struct Manager::Impl {
    explicit Impl(Options given) : options(given) {}

    Options options;
    std::map<std::string, std::unique_ptr<api::Informer>, std::less<>> informers;
    std::vector<api::Informer*> in_order;  // of their resources: each turn goes through all of them
    std::vector<std::unique_ptr<api::Informer>> gone_informers;  // which what waits may still look at
    std::vector<std::unique_ptr<Controller>> controllers;
    std::vector<std::pair<Controller*, KindHandler>> kind_handlers;
    Timers timers;

    Mutex mutex;
    CondVar condition;
    bool awake KUBEMU_GUARDED_BY(mutex) = false;
    std::vector<std::function<void()>> posted KUBEMU_GUARDED_BY(mutex);
    std::vector<std::function<void()>> settled KUBEMU_GUARDED_BY(mutex);  // tasks for when everything has been done
    storage::Revision rested_at = 0;
    Time rested{};
    Workers workers{Workers::Options{
        .kinds = options.registry.kinds(), .remote = options.remote, .loop = [this] { loop(); }, .wake = [this] { wake(); }}};
    LoopThreads& threads = workers.threads();

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

    static bool held(const Timers::Timer& timer) { return Workers::closed(timer.controller); }

    void put_in_order() {
        in_order.clear();
        for (const auto& [resource, informer] : informers) in_order.push_back(informer.get());
    }

    // By index, because what an informer tells may bring informers and take them away: one that is left out is told of
    // in the next turn.
    bool pump() {
        const storage::Revision announced = options.registry.store().announced_revision();
        bool changed = false;
        for (std::size_t i = 0; i < in_order.size(); ++i) changed |= in_order[i]->refresh(announced);
        return changed;
    }

    // Every informer has seen all writes up to here.
    storage::Revision seen() const {
        storage::Revision least = std::numeric_limits<storage::Revision>::max();
        for (const api::Informer* informer : in_order) least = std::min(least, informer->position());
        return informers.empty() ? options.registry.store().current_revision() : least;
    }

    bool fire_timers() {
        const Time now = options.clock.now();
        bool fired = false;
        while (const auto timer = timers.take_due(now, held)) {
            workers.run(timer->controller, timer->fire);
            fired = true;
            if (threads.displaced()) break;
        }
        return fired;
    }

    bool clock_stands_still() const { return options.paced != nullptr && options.paced->stands_still(); }

    // A conflict is the ordinary answer to a stale cache. Where the clock stands still it is tried again with what the
    // cache has learned by then, since the few milliseconds of the back-off would not pass; a conflict that stays is
    // for later.
    void retry(WorkQueue& queue, const std::string& key, int code, Time now) const {
        if (code != 409) return queue.add_rate_limited(key, now);
        const bool at_once = clock_stands_still() && queue.failures(key) < conflicts_at_once_max;
        queue.add_conflicted(key, at_once ? Time{} : now);
    }

    void run_key(Controller& controller, const std::string& key) {
        const storage::Revision before = controller.client_.last_revision();
        WorkQueue& queue = controller.queue_;
        try {
            const api::ApiResult<Requeue> result = controller.reconcile(key);
            const Time now = options.clock.now();
            if (result) {
                queue.forget(key);
                if (result->after) queue.add_at(key, now + *result->after);
            } else {
                const int code = result.error().code();
                log_line(code == 409 ? LogLevel::debug : LogLevel::info, "reconcile failed",
                         {{"controller", controller.name_}, {"key", key}, {"error", result.error()->message}});
                retry(queue, key, code, now);
            }
        } catch (const std::exception& bug) {
            log_line(LogLevel::error, "reconcile threw",
                     {{"controller", controller.name_}, {"key", key}, {"error", bug.what()}});
            queue.add_rate_limited(key, options.clock.now());
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
            if (!Workers::busy(*controller)) controller->queue_.release_due(options.clock.now());
            for (std::size_t left = controller->queue_.size(); left > 0 && !Workers::busy(*controller); --left) {
                const std::optional<std::string> key = controller->queue_.take();
                if (!key) break;
                workers.run(controller.get(), [&] { run_key(*controller, *key); });
                ran = true;
                if (threads.displaced()) return true;
                let_go_on();
            }
        }
        return ran;
    }

    bool start_controllers() {
        bool started = false;
        for (std::size_t i = 0; i < controllers.size() && !threads.displaced(); ++i) {
            Controller* controller = controllers[i].get();
            if (std::exchange(controller->started_, true)) continue;
            controller->starting_ = true;
            workers.run(controller, [controller] { controller->start(); });
            controller->starting_ = false;
            started = true;
        }
        return started;
    }

    // Those that have waited and have their answers; what a clock that stands still shows may not depend on when these came.
    bool let_go_on() { return !clock_stands_still() && threads.resume_answered(); }

    // True when it did something. It ends early when it has lost the loop.
    bool turn() {
        if (threads.waiting() == 0) gone_informers.clear();
        bool progress = run(take_posted());
        while (let_go_on()) progress = true;
        progress |= pump();
        progress |= start_controllers();
        if (threads.displaced()) return true;
        const storage::Revision position = seen();
        for (const auto& controller : controllers) controller->queue_.release(position);
        progress |= fire_timers();
        if (!threads.displaced()) progress |= run_keys();
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
        consider(timers.next(held));
        for (const auto& controller : controllers) {
            if (!Workers::busy(*controller)) consider(controller->queue_.next_due());
        }
        return next;
    }

    std::optional<Duration> machine_time_until(Time when) const {
        if (options.paced == nullptr) return std::max(Duration(1), when - options.clock.now());
        const std::optional<Duration> time = options.paced->machine_time_until(when);
        return time ? std::optional<Duration>(std::max(Duration(1), *time)) : std::nullopt;
    }

    // Called when a turn had nothing to do. True when it did something.
    bool run_settled() {
        if (threads.waiting() > 0) return false;
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
        if (pause && *pause < rest_min) return;
        if (rested_at > 0 && now - rested_at < rest_after_writes && options.clock.now() - rested < rest_again_after) return;
        rested_at = now;
        rested = options.clock.now();
        give_back_memory();
    }

    void loop() {
        while (!threads.stopping() && !threads.displaced()) {
            {
                Lock lock(mutex);
                awake = false;
            }
            // A clock that stands still is there for runs that can be repeated: what a turn sees may not depend on how
            // far the storage thread has come.
            storage::this_thread_flushes(clock_stands_still());
            if (clock_stands_still()) options.registry.store().flush();
            if (turn() || (clock_stands_still() && threads.resume_first()) || run_settled()) continue;
            std::optional<Duration> pause;
            if (const std::optional<Time> due = next_due()) pause = machine_time_until(*due);
            if (holds_keys()) pause = std::min(pause.value_or(unpublished_pause), unpublished_pause);
            else rest(pause);
            Lock lock(mutex);
            if (awake || threads.stopping() || !posted.empty() || (!settled.empty() && threads.waiting() == 0)) continue;
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
                                                [impl = impl_.get()] { impl->wake(); },
                                                [impl = impl_.get()](api::Informer::Handler handler) {
                                                    return impl->workers.told(impl->workers.current(), std::move(handler));
                                                });
    api::Informer& informer = *impl_->informers.emplace(std::string(resource), std::move(made)).first->second;
    impl_->put_in_order();
    return informer;
}

const api::KindSpec& Manager::kind(std::string_view resource) const {
    return impl_->options.registry.kinds().stored(resource);
}

api::Registry& Manager::registry() { return impl_->options.registry; }
const Clock& Manager::clock() const { return impl_->options.clock; }
Random& Manager::random() { return impl_->options.random; }

void Manager::set_timer(const void* owner, std::string_view name, std::optional<Time> when, std::function<void()> fire) {
    if (!when) return impl_->timers.remove(owner, name);
    impl_->timers.set(*when, {owner, std::string(name), impl_->workers.current(), std::move(fire)});
}

void Manager::on_kind_change(KindHandler handler) { impl_->kind_handlers.emplace_back(impl_->workers.current(), std::move(handler)); }

void Manager::kind_changed(const std::string& resource, const api::KindSpec* kind) {
    const api::KindRegistry::Pin pin = registry().kinds().pin();
    for (const auto& [controller, handler] : impl_->kind_handlers) {
        impl_->workers.tell(controller, [told = handler, resource, kind, pin] { told(resource, kind); });
    }
    const auto known = impl_->informers.find(resource);
    if (kind != nullptr || known == impl_->informers.end()) return;
    impl_->gone_informers.push_back(std::move(known->second));
    impl_->informers.erase(known);
    impl_->put_in_order();
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

void Manager::begin(Controller& controller) { impl_->workers.begin(&controller); }
void Manager::interleave() { impl_->workers.interleave(); }

void Manager::add(std::unique_ptr<Controller> controller) {
    impl_->workers.begin(nullptr);
    impl_->controllers.push_back(std::move(controller));
}

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
    impl_->timers.each([&](Time due, const Timers::Timer& timer) { all.push_back({due, name_of(timer.owner) + timer.name}); });
    for (const auto& controller : impl_->controllers) {
        controller->queue_.each_delayed([&](Time due, const std::string& key) { all.push_back({due, controller->name() + " " + key}); });
    }
    std::stable_sort(all.begin(), all.end(), [](const Waiting& a, const Waiting& b) { return a.due < b.due; });
    if (all.size() > count) all.resize(count);
    return all;
}

void Manager::start() { impl_->threads.start(); }

void Manager::stop() { impl_->threads.stop(); }

}  // namespace kubemu::controllers
