// Container output: a bounded ring of lines filled on demand, and streams that read it.
#include "controllers/kubelet/logs.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/kinds/views.h"
#include "api/values/time.h"

namespace kubemu::controllers::kubelet {

using api::Json;

namespace {

constexpr std::size_t lines_per_step = 256;

// Nine decimals as the container runtime writes them.
std::string stamp(Time time) {
    std::string text = api::format_micro_time(time);
    text.insert(text.size() - 1, "000");
    return text;
}

class LogStream final : public api::Stream {
  public:
    LogStream(ContainerRunPtr run, Manager& manager, LogStore& logs, const api::LogQuery& query,
              ContainerRun::Position position)
        : run_(std::move(run)),
          manager_(manager),
          logs_(logs),
          pod_uid_(api::pod_view_of(*query.pod).uid),
          container_(query.container),
          follow_(query.follow),
          timestamps_(query.timestamps),
          bytes_left_(query.limit_bytes.value_or(-1)),
          position_(position) {}

    Step next() override {
        Step step;
        if (bytes_left_ == 0) {
            step.state = Step::State::end;
            return step;
        }
        const Time now = manager_.clock().now();
        logs_.advance_others(pod_uid_, container_, now);
        auto taken = run_->take(position_, now);
        std::string text;
        for (ContainerRun::Line& line : taken.lines) {
            if (timestamps_ && at_line_start_) text += stamp(line.time) + " ";
            text += line.text;
            at_line_start_ = !line.text.empty() && line.text.back() == '\n';
        }
        if (bytes_left_ > 0) {
            if (text.size() >= static_cast<std::size_t>(bytes_left_)) {
                text.resize(static_cast<std::size_t>(bytes_left_));
                bytes_left_ = 0;
            } else {
                bytes_left_ -= static_cast<std::int64_t>(text.size());
            }
        }
        const bool more = !taken.lines.empty();
        if (!text.empty()) step.data.push_back(Slice::of(std::move(text)));
        if (more) step.state = Step::State::more;
        else if (!follow_ || taken.ended) step.state = Step::State::end;
        else if (taken.next) step.wake_at = machine_time(*taken.next);
        return step;
    }

    void on_wake(std::function<void()> wake) override {
        wake_ = std::make_shared<std::function<void()>>(std::move(wake));
        run_->on_output(wake_);
        manager_.on_clock_turned(wake_);
    }

  private:
    // Nothing when only a turn of the clock brings it about.
    std::optional<Time> machine_time(Time when) const {
        const std::optional<Duration> left = manager_.machine_time_until(when);
        return left ? std::optional<Time>(RealClock().now() + *left) : std::nullopt;
    }

    ContainerRunPtr run_;
    Manager& manager_;
    LogStore& logs_;
    const std::string pod_uid_, container_;
    bool follow_, timestamps_;
    std::int64_t bytes_left_;
    ContainerRun::Position position_;
    bool at_line_start_ = true;
    std::shared_ptr<std::function<void()>> wake_;
};

}  // namespace

ContainerRun::ContainerRun(std::shared_ptr<Mutex> mutex, std::unique_ptr<Process> process, Time started_at)
    : mutex_(std::move(mutex)), process_(std::move(process)) {
    state_.next = started_at;
}

void ContainerRun::append(Time time, std::string_view text, int descriptor) {
    if (lines_ == nullptr) lines_ = std::make_unique<std::deque<Line>>();
    while (!text.empty()) {
        const auto end = text.find('\n');
        const std::string_view part = text.substr(0, end == text.npos ? text.npos : end + 1);
        text.remove_prefix(part.size());
        const bool goes_on =
            !lines_->empty() && lines_->back().text.back() != '\n' && lines_->back().descriptor == descriptor;
        if (goes_on) lines_->back().text += part;
        else lines_->push_back({time, std::string(part), descriptor});
        bytes_ += part.size();
    }
    while (lines_->size() > log_lines_max || (bytes_ > log_bytes_max && lines_->size() > 1)) {
        bytes_ -= lines_->front().text.size();
        lines_->pop_front();
        ++dropped_;
    }
}

void ContainerRun::run_to(Time until) {
    const auto& stop = process_->context().stop;
    if (stop != nullptr && stop->at) state_.next = *stop->at;
    if (stopped_ || state_.exited || !state_.next || *state_.next > until) return;
    bool wrote = false;
    state_ = process_->advance(until, [&](Time time, std::string_view text, int descriptor)
                                          KUBEMU_THREAD_ATTRIBUTE(no_thread_safety_analysis) {
                                              wrote = wrote || !text.empty();
                                              append(time, text, descriptor);
                                          });
    if (wrote || state_.exited) wake_readers();
}

void ContainerRun::wake_readers() {
    for (auto& reader : readers_)
        if (const auto wake = reader.lock()) (*wake)();
    readers_.erase(std::remove_if(readers_.begin(), readers_.end(), [](const auto& reader) { return reader.expired(); }),
                   readers_.end());
}

Process::State ContainerRun::advance(Time until) {
    const Lock lock(*mutex_);
    if (readers_.empty() && !stopped_ && !state_.exited) {
        const std::optional<Process::State> ahead = process_->foresee(until);
        if (ahead && !ahead->exited) return *ahead;
    }
    run_to(until);
    return state_;
}

void ContainerRun::stop(Time at) {
    const Lock lock(*mutex_);
    run_to(at);
    stopped_ = true;
    wake_readers();
}

void ContainerRun::terminate(Time at) {
    const Lock lock(*mutex_);
    if (stopped_ || state_.exited) return;
    process_->terminate(at);
    state_.next = at;
}

Process::OnTerminate ContainerRun::on_terminate() {
    const Lock lock(*mutex_);
    return process_->on_terminate();
}

int ContainerRun::end_code() {
    const Lock lock(*mutex_);
    return process_->end_code();
}

Process::ExecResult ContainerRun::exec(const std::vector<std::string>& argv, Time at) {
    const Lock lock(*mutex_);
    run_to(at);
    return process_->exec(argv, at);
}

bool ContainerRun::changes_files() {
    const Lock lock(*mutex_);
    return process_->changes_files();
}

bool ContainerRun::ended(Time now) {
    const Lock lock(*mutex_);
    run_to(now);
    return stopped_ || state_.exited;
}

void ContainerRun::touch() {
    const Lock lock(*mutex_);
    touched_ = ever_touched_ = true;
}

bool ContainerRun::take_touched() {
    const Lock lock(*mutex_);
    return std::exchange(touched_, false);
}

bool ContainerRun::ever_touched() {
    const Lock lock(*mutex_);
    return ever_touched_;
}

void ContainerRun::equip(const std::function<void(ProcessContext&)>& change) {
    const Lock lock(*mutex_);
    change(process_->context());
}

bool ContainerRun::equip_held(const std::function<void(ProcessContext&)>& change) {
    if (stopped_ || state_.exited) return false;
    change(process_->context());
    return true;
}

void ContainerRun::input(std::string_view text, Time now) {
    const Lock lock(*mutex_);
    if (stopped_ || state_.exited) return;
    run_to(now);
    process_->input(text, now);
    state_.next = now;
    run_to(now);
}

void ContainerRun::input_closed(Time now) {
    const Lock lock(*mutex_);
    if (stopped_ || state_.exited) return;
    run_to(now);
    process_->input_closed(now);
    state_.next = now;
    run_to(now);
}

void ContainerRun::resize(int width, int height) {
    const Lock lock(*mutex_);
    process_->resize(width, height);
}

std::size_t ContainerRun::unread() {
    const Lock lock(*mutex_);
    return process_->unread();
}

ContainerRun::Taken ContainerRun::take(Position& position, Time now) {
    const Lock lock(*mutex_);
    run_to(now);
    Taken taken;
    if (position.line < dropped_) position = {dropped_, 0};
    while (position.line < dropped_ + held() && taken.lines.size() < lines_per_step) {
        const Line& line = (*lines_)[position.line - dropped_];
        if (position.offset < line.text.size())
            taken.lines.push_back({line.time, line.text.substr(position.offset), line.descriptor});
        if (line.text.back() != '\n' && position.line + 1 == dropped_ + held()) {  // it may still grow
            position.offset = line.text.size();
            break;
        }
        position = {position.line + 1, 0};
    }
    taken.ended = stopped_ || state_.exited;
    taken.next = state_.next;
    return taken;
}

std::uint64_t ContainerRun::first_line() {
    const Lock lock(*mutex_);
    return dropped_;
}

ContainerRun::Position ContainerRun::tail(std::uint64_t count, Time now) {
    const Lock lock(*mutex_);
    run_to(now);
    return {dropped_ + held() - std::min<std::uint64_t>(count, held()), 0};
}

ContainerRun::Position ContainerRun::since(Time time, Time now) {
    const Lock lock(*mutex_);
    run_to(now);
    std::size_t before = 0;
    while (before < held() && (*lines_)[before].time < time) ++before;
    return {dropped_ + before, 0};
}

void ContainerRun::on_output(std::weak_ptr<std::function<void()>> wake) {
    const Lock lock(*mutex_);
    readers_.push_back(std::move(wake));
}

void LogStore::add(const std::string& pod_uid, const std::string& container, ContainerRunPtr run) {
    const Lock lock(mutex_);
    Runs& runs = runs_[pod_uid][container];
    runs.previous = std::move(runs.current);
    runs.current = std::move(run);
}

void LogStore::forget(const std::string& pod_uid) {
    const Lock lock(mutex_);
    runs_.erase(pod_uid);
    volumes_.erase(pod_uid);
}

ContainerRunPtr LogStore::current(const std::string& pod_uid, const std::string& container) {
    const Lock lock(mutex_);
    const auto pod = runs_.find(pod_uid);
    if (pod == runs_.end()) return nullptr;
    const auto runs = pod->second.find(container);
    return runs == pod->second.end() ? nullptr : runs->second.current;
}

bool LogStore::runs(const std::string& pod_uid) {
    const Lock lock(mutex_);
    return runs_.count(pod_uid) != 0;
}

std::shared_ptr<Volumes> LogStore::volumes(const std::string& pod_uid) {
    const Lock lock(mutex_);
    std::shared_ptr<Volumes>& volumes = volumes_[pod_uid];
    if (volumes == nullptr) volumes = std::make_shared<Volumes>();
    return volumes;
}

std::shared_ptr<Files> LogStore::lasting(const std::string& key) {
    const Lock lock(mutex_);
    std::shared_ptr<Files>& files = lasting_[key];
    if (files != nullptr) return files;
    files = std::make_shared<Files>();
    const auto made = files;
    constexpr std::string_view prefix = "volume/";
    for (auto entry = lasting_.begin(); entry != lasting_.end();) {
        const auto slash = entry->first.find('/', prefix.size());
        const bool volume = entry->first.compare(0, prefix.size(), prefix) == 0 && slash != std::string::npos;
        const auto record =
            volume ? manager_.registry().get("persistentvolumes", "",
                                             entry->first.substr(prefix.size(), slash - prefix.size()))
                   : nullptr;
        const bool gone = volume && (record == nullptr || api::view_of(*record).uid != entry->first.substr(slash + 1));
        entry = gone && entry->first != key ? lasting_.erase(entry) : std::next(entry);
    }
    return made;
}

void LogStore::advance_others(const std::string& pod_uid, const std::string& container, Time now) {
    std::vector<ContainerRunPtr> others;
    {
        const Lock lock(mutex_);
        const auto pod = runs_.find(pod_uid);
        if (pod == runs_.end()) return;
        for (const auto& [name, runs] : pod->second)
            if (name != container && runs.current != nullptr) others.push_back(runs.current);
    }
    for (const ContainerRunPtr& run : others) run->ended(now);
}

api::ApiResult<std::unique_ptr<api::Stream>> LogStore::open(const api::LogQuery& query) {
    const api::PodView& view = api::pod_view_of(*query.pod);
    ContainerRunPtr run;
    {
        const Lock lock(mutex_);
        const auto pod = runs_.find(view.uid);
        if (pod != runs_.end()) {
            const auto runs = pod->second.find(query.container);
            if (runs != pod->second.end()) run = query.previous ? runs->second.previous : runs->second.current;
        }
    }
    if (run == nullptr) {
        if (query.previous) {
            return api::Status::bad_request("previous terminated container \"" + query.container + "\" in pod \"" + view.name +
                                            "\" not found");
        }
        std::string why = "ContainerCreating";
        const Json document = manager_.registry().document(*query.pod);
        for (const char* list : {"initContainerStatuses", "containerStatuses"}) {
            for (const Json& status : api::array_at(document, {"status", list})) {
                if (api::string_at(status, {"name"}) == query.container)
                    why = api::string_at(status, {"state", "waiting", "reason"}, why);
            }
        }
        if (why == "ErrImagePull" || why == "ImagePullBackOff") why = "trying and failing to pull image";
        return api::Status::bad_request("container \"" + query.container + "\" in pod \"" + view.name +
                                        "\" is waiting to start: " + why);
    }
    const Time now = manager_.clock().now();
    advance_others(view.uid, query.container, now);
    ContainerRun::Position position{run->first_line(), 0};
    if (query.since) position = run->since(*query.since, now);
    if (query.tail_lines && *query.tail_lines >= 0) {
        const auto tail = run->tail(static_cast<std::uint64_t>(*query.tail_lines), now);
        if (tail.line > position.line) position = tail;
    }
    return std::unique_ptr<api::Stream>(std::make_unique<LogStream>(std::move(run), manager_, *this, query, position));
}

}  // namespace kubemu::controllers::kubelet
