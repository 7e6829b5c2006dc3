// LogStore: the output of simulated containers, made as it is read, and GET pods/log over it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "api/subresources/pod_logs.h"
#include "controllers/kubelet/process.h"
#include "controllers/runtime/manager.h"
#include "storage/base/mutex.h"

namespace kubemu::controllers::kubelet {

// Lines kept of one run of a container; a real node rotates files of 10 MiB.
inline constexpr std::size_t log_lines_max = 5000;
inline constexpr std::size_t log_bytes_max = 512 * 1024;

// One run of one container. Its methods may be called from any thread.
class ContainerRun {
  public:
    // `mutex` is shared by all runs, because containers of a pod share volumes.
    ContainerRun(std::shared_ptr<Mutex> mutex, std::unique_ptr<Process> process, Time started_at);

    Process::State advance(Time until);
    // The process is killed: no more output, followers end.
    void stop(Time at);
    // Asks the process to end (Process::terminate); advance() then shows what it does.
    void terminate(Time at);
    Process::OnTerminate on_terminate();
    int end_code();
    Process::ExecResult exec(const std::vector<std::string>& argv, Time at);
    bool changes_files();
    bool ended(Time now);

    // Somebody has looked into the container, and may have changed its files. True once after each touch().
    void touch();
    bool take_touched();
    bool ever_touched();
    // `change` may fill in what commands see, and read it.
    void equip(const std::function<void(ProcessContext&)>& change);
    // The same for who holds mutex() already; false when the process has ended.
    bool equip_held(const std::function<void(ProcessContext&)>& change) KUBEMU_REQUIRES(*mutex_);
    // Standard input of the process.
    void input(std::string_view text, Time now);
    void input_closed(Time now);
    void resize(int width, int height);
    std::size_t unread();
    const std::shared_ptr<Mutex>& mutex() const { return mutex_; }

    struct Line {
        Time time{};
        std::string text;  // with its newline, or without one at the end of the output
        int descriptor = 1;  // 2: standard error
    };
    struct Position {
        std::uint64_t line = 0;   // number of the next line
        std::size_t offset = 0;   // bytes of it that were taken already
    };
    struct Taken {
        std::vector<Line> lines;
        bool ended = false;
        std::optional<Time> next;
    };
    // Output after `position`, up to `now`; moves it. At most a few hundred lines.
    Taken take(Position& position, Time now);
    std::uint64_t first_line();
    // A position `count` lines before the end / at the first line not before `since`.
    Position tail(std::uint64_t count, Time now);
    Position since(Time time, Time now);
    void on_output(std::weak_ptr<std::function<void()>> wake);

  private:
    void run_to(Time until) KUBEMU_REQUIRES(*mutex_);
    void append(Time time, std::string_view text, int descriptor) KUBEMU_REQUIRES(*mutex_);
    void wake_readers() KUBEMU_REQUIRES(*mutex_);
    std::size_t held() const KUBEMU_REQUIRES(*mutex_) { return lines_ == nullptr ? 0 : lines_->size(); }

    const std::shared_ptr<Mutex> mutex_;
    std::unique_ptr<Process> process_ KUBEMU_GUARDED_BY(*mutex_);
    Process::State state_ KUBEMU_GUARDED_BY(*mutex_);
    bool stopped_ KUBEMU_GUARDED_BY(*mutex_) = false;
    bool touched_ KUBEMU_GUARDED_BY(*mutex_) = false, ever_touched_ KUBEMU_GUARDED_BY(*mutex_) = false;
    std::unique_ptr<std::deque<Line>> lines_ KUBEMU_GUARDED_BY(*mutex_);  // null before the first: most runs are never read
    std::uint64_t dropped_ KUBEMU_GUARDED_BY(*mutex_) = 0;
    std::size_t bytes_ KUBEMU_GUARDED_BY(*mutex_) = 0;
    std::vector<std::weak_ptr<std::function<void()>>> readers_ KUBEMU_GUARDED_BY(*mutex_);
};
using ContainerRunPtr = std::shared_ptr<ContainerRun>;

// The volumes that the containers of a pod share (emptyDir), by name; guarded by the mutex of all runs.
using Volumes = std::map<std::string, std::shared_ptr<Files>>;

class LogStore final : public api::PodLogs {
  public:
    explicit LogStore(Manager& manager) : manager_(manager) {}

    api::ApiResult<std::unique_ptr<api::Stream>> open(const api::LogQuery& query) override;

    // The newest run of a container; the one before becomes `previous`.
    void add(const std::string& pod_uid, const std::string& container, ContainerRunPtr run);
    void forget(const std::string& pod_uid);
    ContainerRunPtr current(const std::string& pod_uid, const std::string& container);
    bool runs(const std::string& pod_uid);
    // Made when they are first asked for.
    std::shared_ptr<Volumes> volumes(const std::string& pod_uid);
    // Files that outlive pods, by "volume/NAME/UID" of a PersistentVolume or "node/NAME/path". Those of
    // volumes that are gone are forgotten. Guarded by the mutex of all runs, as all files are.
    std::shared_ptr<Files> lasting(const std::string& key);
    // Lets everything else in the pod go on until `now`, since it may have written what `container` reads.
    void advance_others(const std::string& pod_uid, const std::string& container, Time now);
    const std::shared_ptr<Mutex>& run_mutex() const { return run_mutex_; }

  private:
    struct Runs {
        ContainerRunPtr current, previous;
    };
    Manager& manager_;
    const std::shared_ptr<Mutex> run_mutex_ = std::make_shared<Mutex>();
    Mutex mutex_;
    std::unordered_map<std::string, std::map<std::string, Runs>> runs_ KUBEMU_GUARDED_BY(mutex_);
    std::unordered_map<std::string, std::shared_ptr<Volumes>> volumes_ KUBEMU_GUARDED_BY(mutex_);
    std::map<std::string, std::shared_ptr<Files>> lasting_ KUBEMU_GUARDED_BY(mutex_);
};

}  // namespace kubemu::controllers::kubelet
