// Files of a container, and the processes that are known in advance.
#include "controllers/kubelet/process.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <set>
#include <utility>

#include "storage/base/mutex.h"

namespace kubemu::controllers::kubelet {
namespace {

constexpr std::size_t file_bytes_max = 256 * 1024;
constexpr std::size_t files_max = 500;

std::string normal(std::string_view path) {
    std::vector<std::string_view> parts;
    while (!path.empty()) {
        const auto slash = path.find('/');
        const std::string_view part = path.substr(0, slash);
        if (part == "..") {
            if (!parts.empty()) parts.pop_back();
        } else if (!part.empty() && part != ".") {
            parts.push_back(part);
        }
        path = slash == path.npos ? std::string_view() : path.substr(slash + 1);
    }
    std::string result;
    for (const std::string_view part : parts) result += "/" + std::string(part);
    return result.empty() ? "/" : result;
}

bool below(std::string_view path, std::string_view directory) {
    if (directory == "/") return path.size() > 1;
    return path.size() > directory.size() && path.compare(0, directory.size(), directory) == 0 && path[directory.size()] == '/';
}

// What a program says at its start is the same in each of the thousands of containers that run it: kept once.
std::shared_ptr<const std::string> shared_text(std::string text) {
    struct Recent {
        Mutex mutex;
        std::array<std::shared_ptr<const std::string>, 16> slots KUBEMU_GUARDED_BY(mutex);
    };
    static Recent recent;
    if (text.empty()) return nullptr;
    const std::size_t slot = std::hash<std::string_view>()(text) % 16;
    const Lock lock(recent.mutex);
    std::shared_ptr<const std::string>& known = recent.slots[slot];
    if (known == nullptr || *known != text) known = std::make_shared<const std::string>(std::move(text));
    return known;
}

class FixedProcess final : public Process {
  public:
    FixedProcess(ProcessContext context, std::string text, std::optional<Duration> duration, int exit_code,
                 std::optional<int> stop_code)
        : context_(std::move(context)), text_(shared_text(std::move(text))), duration_(duration),
          exit_code_(static_cast<std::int16_t>(exit_code)), stop_code_(static_cast<std::int16_t>(stop_code.value_or(deaf))) {}

    State advance(Time until, const Output& output) override {
        if (const auto text = std::exchange(text_, nullptr)) output(context_.started_at, *text, 1);
        return *foresee(until);
    }

    std::optional<State> foresee(Time until) const override {
        State state;
        if (context_.stop != nullptr && context_.stop->at && stop_code_ != deaf) {
            state.exited = true;
            state.exit_code = stop_code_;
            state.finished_at = *context_.stop->at;
            return state;
        }
        if (!duration_) return state;
        state.finished_at = context_.started_at + *duration_;
        if (state.finished_at > until) {
            state.next = state.finished_at;
        } else {
            state.exited = true;
            state.exit_code = exit_code_;
        }
        return state;
    }

    bool changes_files() const override { return false; }
    OnTerminate on_terminate() const override {
        return stop_code_ == deaf && context_.first_process ? OnTerminate::ignores : OnTerminate::ends;
    }
    int end_code() const override { return stop_code_ == deaf ? by_sigterm : stop_code_; }
    ProcessContext& context() override { return context_; }

  private:
    static constexpr std::int16_t deaf = -1;
    static constexpr int by_sigterm = 128 + 15;

    ProcessContext context_;
    std::shared_ptr<const std::string> text_;  // null: it has been said
    std::optional<Duration> duration_;
    std::int16_t exit_code_, stop_code_;
};

}  // namespace

void FileSystem::mount(Mount mount) {
    mount.path = normal(mount.path);
    if (!mount.folder.empty()) mount.folder = normal(mount.folder);
    if (mount.folder == "/") mount.folder.clear();
    mounts_.push_back(std::move(mount));
    std::stable_sort(mounts_.begin(), mounts_.end(),
                     [](const Mount& a, const Mount& b) { return a.path.size() > b.path.size(); });
}

std::string FileSystem::key_of(const Mount* mount, std::string_view path) {
    if (mount == nullptr) return std::string(path);
    const std::string_view rest = mount->path == "/" ? path : path.substr(mount->path.size());
    const std::string key = mount->folder + std::string(rest == "/" ? "" : rest);
    return key.empty() ? "/" : key;
}

std::string FileSystem::normalized(std::string_view path) { return normal(path); }

void FileSystem::remount(FileSystem&& fresh) { mounts_ = std::move(fresh.mounts_); }

std::vector<std::pair<std::string, std::string>> FileSystem::all_below(std::string_view raw) const {
    const std::string directory = normal(raw);
    constexpr std::string_view marker = "/.directory";
    std::map<std::string, std::string> found;
    const auto add = [&](const std::string& mount, const std::string& folder, const Files& files) {
        for (const auto& [key, content] : files) {
            if (!folder.empty() && key != folder && !below(key, folder)) continue;
            const std::string file = key.size() == folder.size() ? "/" : key.substr(folder.size());
            std::string path = file == "/" ? mount : mount == "/" ? file : mount + file;
            if (!below(path, directory)) continue;
            const bool made = path.size() > marker.size() && path.ends_with(marker);
            if (made) path.resize(path.size() - marker.size() + 1);
            if (path.size() > directory.size()) found.emplace(std::move(path), made ? std::string() : content);
        }
    };
    for (const Mount& mount : mounts_) add(mount.path, mount.folder, *mount.files);
    add("/", {}, own_);
    return {found.begin(), found.end()};
}

const FileSystem::Mount* FileSystem::mount_of(std::string_view path) const {
    for (const Mount& mount : mounts_)
        if (path == mount.path || below(path, mount.path)) return &mount;
    return nullptr;
}

std::optional<std::string> FileSystem::read(std::string_view raw) const {
    const std::string path = normal(raw);
    if (const std::string* written = peek(path)) return *written;
    if (identity_ == nullptr || mount_of(path) != nullptr) return std::nullopt;
    return system_file(*identity_, path);
}

const std::string* FileSystem::peek(std::string_view raw) const {
    const std::string path = normal(raw);
    const Mount* mount = mount_of(path);
    const Files& files = files_of(mount);
    const auto found = files.find(key_of(mount, path));
    return found == files.end() ? nullptr : &found->second;
}

bool FileSystem::write(std::string_view raw, std::string text, bool append) {
    const std::string path = normal(raw);
    if (path == "/dev/null" || path == "/dev/stdout" || path == "/dev/stderr") return true;
    const Mount* mount = mount_of(path);
    if (mount != nullptr && mount->read_only) return false;
    Files& files = mount != nullptr ? *mount->files : own_;
    if (files.size() >= files_max) return false;
    std::string& content = files[key_of(mount, path)];
    if (!append) content.clear();
    if (content.size() + text.size() > file_bytes_max) return false;
    content += text;
    return true;
}

bool FileSystem::remove(std::string_view raw) {
    const std::string path = normal(raw);
    const Mount* mount = mount_of(path);
    if (mount != nullptr && mount->read_only) return false;
    Files& files = mount != nullptr ? *mount->files : own_;
    const std::string key = key_of(mount, path);
    bool removed = false;
    for (auto entry = files.begin(); entry != files.end();) {
        const bool hit = entry->first == key || below(entry->first, key);
        removed = removed || hit;
        entry = hit ? files.erase(entry) : std::next(entry);
    }
    return removed;
}

void FileSystem::make_directory(std::string_view path) { write(normal(path) + "/.directory", "", false); }

bool FileSystem::is_directory(std::string_view raw) const {
    const std::string path = normal(raw);
    for (std::string_view usual : {"/", "/bin", "/dev", "/etc", "/home", "/proc", "/root", "/sbin", "/sys", "/tmp", "/usr", "/var"})
        if (path == usual) return true;
    for (const Mount& mount : mounts_) {
        if (mount.path == path || below(mount.path, path))
            return mount.path != path || mount.files->count(key_of(&mount, path)) == 0;
    }
    const Mount* mount = mount_of(path);
    const Files& files = files_of(mount);
    const std::string key = key_of(mount, path);
    if (std::any_of(files.begin(), files.end(), [&](const auto& entry) { return below(entry.first, key); }))
        return true;
    const auto& shown = system_paths();
    return mount == nullptr && identity_ != nullptr &&
           std::any_of(shown.begin(), shown.end(), [&](std::string_view file) { return below(file, path); });
}

std::vector<std::string> FileSystem::list(std::string_view raw) const {
    const std::string path = normal(raw);
    std::set<std::string> names;
    const auto add = [&](std::string_view file, std::string_view directory) {
        if (!below(file, directory)) return;
        const std::string_view rest = file.substr(directory == "/" ? 1 : directory.size() + 1);
        const std::string_view name = rest.substr(0, rest.find('/'));
        if (name != ".directory") names.emplace(name);
    };
    const Mount* mount = mount_of(path);
    const std::string key = key_of(mount, path);
    for (const auto& [file, content] : files_of(mount)) add(file, key);
    for (const Mount& other : mounts_) add(other.path, path);
    if (mount == nullptr && identity_ != nullptr)
        for (const std::string_view file : system_paths()) add(file, path);
    if (path == "/")
        for (const char* usual : {"bin", "dev", "etc", "home", "proc", "root", "sys", "tmp", "usr", "var"}) names.emplace(usual);
    return {names.begin(), names.end()};
}

std::unique_ptr<Process> make_fixed_process(ProcessContext context, std::string text, std::optional<Duration> duration, int exit_code,
                                            std::optional<int> stop_code) {
    return std::make_unique<FixedProcess>(std::move(context), std::move(text), duration, exit_code, stop_code);
}

}  // namespace kubemu::controllers::kubelet
