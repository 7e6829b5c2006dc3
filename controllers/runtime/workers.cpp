// What runs is one value; who waits keeps its own and puts it back.
#include "controllers/runtime/workers.h"

#include <utility>

#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

Workers::Workers(Options options)
    : options_(std::move(options)),
      threads_({.loop = options_.loop, .wake = options_.wake, .waiter = options_.remote == nullptr ? nullptr : this}) {}

bool Workers::closed(const Controller* controller) { return controller != nullptr && controller->alone_ > 0; }

bool Workers::busy(const Controller& controller) {
    return controller.starting_ || closed(&controller) || controller.waits_ >= controller.workers_;
}

void Workers::run(Controller* controller, const std::function<void()>& piece) {
    std::vector<api::KindRegistry::Pin> pins;
    work_ = Work{controller, &pins, controller == nullptr || controller->interleaved_ == Controller::Interleaved::chosen};
    piece();
    work_ = Work{};
    if (controller == nullptr || closed(controller)) return;
    for (const auto& untold : std::exchange(controller->untold_, {})) run_within(controller, untold);
}

template <class Part>
void Workers::run_within(Controller* controller, const Part& part) {
    const Work outer = std::exchange(work_, Work{controller, nullptr, true});
    part();
    work_ = outer;
}

void Workers::tell(Controller* controller, const std::function<void()>& news) {
    if (closed(controller)) controller->untold_.push_back(news);
    else run_within(controller, news);
}

api::Informer::Handler Workers::told(Controller* controller, api::Informer::Handler handler) {
    return [this, controller, handler = std::move(handler)](const api::Informer::Change& change) {
        if (closed(controller)) tell(controller, [handler, change] { handler(change); });
        else run_within(controller, [&] { handler(change); });
    };
}

void Workers::count_wait(const Work& waiting, int by) {
    if (waiting.controller == nullptr) return;
    waiting.controller->waits_ += static_cast<std::size_t>(by);
    if (waiting.alone) waiting.controller->alone_ += static_cast<std::size_t>(by);
}

void Workers::wait(api::RemoteCalls& calls) {
    if (work_.pins == nullptr) return api::BlockingWaiter(*options_.remote).wait(calls);
    const Work mine = std::exchange(work_, Work{});
    mine.pins->push_back(options_.kinds.pin());
    count_wait(mine, 1);
    threads_.wait(calls, *options_.remote);
    count_wait(mine, -1);
    work_ = mine;
}

}  // namespace kubemu::controllers
