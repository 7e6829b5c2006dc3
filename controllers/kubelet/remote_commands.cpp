// Commands over processes and runs.
#include "controllers/kubelet/remote_commands.h"

namespace kubemu::controllers::kubelet {
namespace {

constexpr int killed = 137;  // 128 and SIGKILL: the container ended around it

// Who is to be called when the output of a run, or the clock, has moved.
class Waker {
  public:
    Waker(ContainerRunPtr run, Manager& manager) : run_(std::move(run)), manager_(manager) {}

    void set(std::function<void()> wake) {
        wake_ = std::make_shared<std::function<void()>>(std::move(wake));
        run_->on_output(wake_);
        manager_.on_clock_turned(wake_);
    }
    // Nothing when only a turn of the clock brings it about.
    std::optional<Time> machine_time(const std::optional<Time>& when) const {
        if (!when) return std::nullopt;
        const std::optional<Duration> left = manager_.machine_time_until(*when);
        return left ? std::optional<Time>(RealClock().now() + *left) : std::nullopt;
    }

  private:
    ContainerRunPtr run_;
    Manager& manager_;
    std::shared_ptr<std::function<void()>> wake_;
};

class Exec final : public api::RemoteCommand {
  public:
    Exec(ContainerRunPtr run, std::unique_ptr<Process> process, Manager& manager, std::function<void()> changed)
        : run_(run), mutex_(run->mutex()), process_(std::move(process)), manager_(manager), waker_(run, manager),
          changed_(std::move(changed)) {}
    ~Exec() override { changed_(); }

    void input(std::string_view text) override {
        const Lock lock(*mutex_);
        process_->input(text, now());
    }
    void input_closed() override {
        const Lock lock(*mutex_);
        process_->input_closed(now());
    }
    void resize(int width, int height) override {
        const Lock lock(*mutex_);
        process_->resize(width, height);
    }
    std::size_t unread() const override {
        const Lock lock(*mutex_);
        return process_->unread();
    }
    void on_wake(std::function<void()> wake) override { waker_.set(std::move(wake)); }

    Step next() override {
        Step step;
        Process::State state;
        const bool alive = !run_->ended(now());
        {
            const Lock lock(*mutex_);
            state = process_->advance(now(), [&step](Time, std::string_view text, int descriptor) {
                (descriptor == 2 ? step.err : step.out) += text;
            });
        }
        if (state.exited) step.end = api::CommandEnd{state.exit_code & 0xff, {}};
        else if (!alive) step.end = api::CommandEnd{killed, {}};
        step.more = !step.end && state.next && *state.next <= now();
        step.wake_at = waker_.machine_time(state.next);
        return step;
    }

  private:
    Time now() const { return manager_.clock().now(); }

    ContainerRunPtr run_;
    const std::shared_ptr<Mutex> mutex_;
    std::unique_ptr<Process> process_ KUBEMU_GUARDED_BY(*mutex_);
    Manager& manager_;
    Waker waker_;
    std::function<void()> changed_;
};

class FailedExec final : public api::RemoteCommand {
  public:
    explicit FailedExec(std::string error) : error_(std::move(error)) {}
    void input(std::string_view) override {}
    void input_closed() override {}
    void resize(int, int) override {}
    std::size_t unread() const override { return 0; }
    void on_wake(std::function<void()>) override {}
    Step next() override {
        Step step;
        step.end = api::CommandEnd{0, error_};
        return step;
    }

  private:
    std::string error_;
};

class Attach final : public api::RemoteCommand {
  public:
    Attach(ContainerRunPtr run, AttachedInput given, Manager& manager, std::function<void()> changed)
        : run_(run), input_(given), manager_(manager), waker_(run, manager), changed_(std::move(changed)),
          position_(run->tail(0, now())) {}
    ~Attach() override { close(); }

    void input(std::string_view text) override {
        if (!input_.stdin) return;
        run_->input(text, now());
        changed_();
    }
    void input_closed() override { close(); }
    void resize(int width, int height) override { run_->resize(width, height); }
    std::size_t unread() const override { return input_.stdin ? run_->unread() : 0; }
    void on_wake(std::function<void()> wake) override { waker_.set(std::move(wake)); }

    Step next() override {
        Step step;
        const auto taken = run_->take(position_, now());
        for (const ContainerRun::Line& line : taken.lines) (line.descriptor == 2 ? step.err : step.out) += line.text;
        step.more = !taken.lines.empty();
        if (!step.more && taken.ended) step.end = api::CommandEnd{};
        step.wake_at = waker_.machine_time(taken.next);
        return step;
    }

  private:
    void close() {
        if (!input_.stdin || !input_.once) return;
        input_.stdin = false;
        run_->input_closed(now());
        changed_();
    }
    Time now() const { return manager_.clock().now(); }

    ContainerRunPtr run_;
    AttachedInput input_;
    Manager& manager_;
    Waker waker_;
    std::function<void()> changed_;
    ContainerRun::Position position_;
};

}  // namespace

std::unique_ptr<api::RemoteCommand> make_exec(ContainerRunPtr run, std::unique_ptr<Process> process, Manager& manager,
                                              std::function<void()> changed) {
    return std::make_unique<Exec>(std::move(run), std::move(process), manager, std::move(changed));
}

std::unique_ptr<api::RemoteCommand> make_failed_exec(std::string error) { return std::make_unique<FailedExec>(std::move(error)); }

std::unique_ptr<api::RemoteCommand> make_attach(ContainerRunPtr run, AttachedInput input, Manager& manager,
                                                std::function<void()> changed) {
    return std::make_unique<Attach>(std::move(run), input, manager, std::move(changed));
}

}  // namespace kubemu::controllers::kubelet
