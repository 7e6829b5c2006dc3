// Workers: whose work the control loop does right now, and which of it waits for a webhook.
//
// Work comes in pieces: a key, a timer, a start. What a piece may not share while it waits is decided here: of a
// controller with a piece that waits alone nothing else runs, and what it would have been told it is told afterwards.
#pragma once

#include <functional>
#include <vector>

#include "api/informer.h"
#include "api/kind_registry.h"
#include "api/remote_calls.h"
#include "api/request_scope.h"
#include "controllers/runtime/loop_threads.h"

namespace kubemu::controllers {

class Controller;

// On the thread that runs, LoopThreads aside.
class Workers final : public api::RemoteWaiter {
  public:
    struct Options {
        const api::KindRegistry& kinds;
        api::RemoteCaller* remote;         // null: nobody is asked
        std::function<void()> loop, wake;  // see LoopThreads
    };
    explicit Workers(Options options);

    // Nothing of the controller runs.
    static bool closed(const Controller* controller);
    // None of its keys runs.
    static bool busy(const Controller& controller);

    // Whose work runs; null: nobody's in particular.
    Controller* current() const { return work_.controller; }
    // What is done between pieces is this controller's from now on.
    void begin(Controller* controller) { work_ = Work{controller, nullptr, true}; }
    // Runs a piece that may wait.
    void run(Controller* controller, const std::function<void()>& piece);
    // See Controller::interleave.
    void interleave() { work_.alone = false; }
    // Runs it as a part of something else that is not waited with, or, where the controller is closed, when that ends.
    void tell(Controller* controller, const std::function<void()>& news);
    // The handler, which hears of a change as tell() says.
    api::Informer::Handler told(Controller* controller, api::Informer::Handler handler);

    void wait(api::RemoteCalls& calls) override;
    LoopThreads& threads() { return threads_; }
    const LoopThreads& threads() const { return threads_; }

  private:
    struct Work {
        Controller* controller = nullptr;
        // Where it keeps the kinds that it knows while it waits; null: the loop cannot go on without it.
        std::vector<api::KindRegistry::Pin>* pins = nullptr;
        bool alone = true;
    };
    template <class Part>
    void run_within(Controller* controller, const Part& part);
    static void count_wait(const Work& waiting, int by);

    const Options options_;
    Work work_;
    LoopThreads threads_;
};

}  // namespace kubemu::controllers
