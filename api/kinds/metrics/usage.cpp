// Requests, a wave over them, and what annotations say.
#include "api/kinds/metrics/usage.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <numbers>

#include "api/kinds/metrics/declared_usage.h"
#include "api/kinds/metrics/served_load.h"
#include "api/values/quantity.h"
#include "api/values/time.h"

namespace kubemu::api {
namespace {

constexpr double cpu_part = 0.10, memory_part = 0.30;  // of the request
constexpr std::int64_t milli_core = 1'000'000, mebibyte = 1 << 20;

// FNV-1a, 64 bits: the same on every machine.
std::uint64_t hash_of(std::string_view a, std::string_view b) {
    std::uint64_t hash = 14695981039346656037U;
    for (const std::string_view part : {a, std::string_view("/"), b}) {
        for (const char c : part) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
    }
    return hash;
}

// Between 0 and 1, made of some bits of the hash.
double part_of(std::uint64_t hash, int shift) {
    return static_cast<double>(hash >> shift & 0xffff) / 65536.0;
}

// Around 1: a slow wave of ten minutes and a small one of a minute and a half, `depth` up and down at most.
double wave(std::uint64_t hash, Time time, double depth) {
    const double seconds = static_cast<double>(time.time_since_epoch().count()) / 1e6;
    const double turn = 2 * std::numbers::pi;
    const double slow = std::sin(turn * (std::fmod(seconds, 600.0) / 600.0 + part_of(hash, 0)));
    const double quick = std::sin(turn * (std::fmod(seconds, 90.0) / 90.0 + part_of(hash, 16)));
    return 1 + depth * (0.75 * slow + 0.25 * quick);
}

std::int64_t whole(double amount) {
    return std::max<std::int64_t>(0, std::llround(amount));
}

// In nanocores for cpu, in bytes for memory.
std::optional<std::int64_t> amount(std::string_view text, bool cpu) {
    const auto quantity = text.empty() ? std::nullopt : Quantity::parse(text);
    if (!quantity || quantity->is_negative()) return std::nullopt;
    return cpu ? quantity->milli_value() * milli_core : quantity->value();
}

std::int64_t amount_at(const Json& container, std::string_view list, bool cpu) {
    const Json* value = find(object_at(container, {"resources", list}), cpu ? "cpu" : "memory");
    if (value == nullptr) return 0;
    if (value->is_number_integer()) return value->get<std::int64_t>() * (cpu ? 1000 * milli_core : 1);
    return value->is_string() ? amount(value->get_ref<const std::string&>(), cpu).value_or(0) : 0;
}

std::optional<std::int64_t> annotated(const Json& object, const std::string& name, bool cpu) {
    const Json* value = find(object_at(object, {"metadata", "annotations"}), name);
    return value != nullptr && value->is_string() ? amount(value->get_ref<const std::string&>(), cpu)
                                                  : std::nullopt;
}

// `served` comes on top: what it spends on requests.
std::int64_t modelled(const Json& container, std::uint64_t hash, Time time, bool cpu, std::int64_t served) {
    const std::int64_t request = amount_at(container, "requests", cpu);
    std::vector<std::string> words;
    for (const char* list : {"command", "args"})
        for (const Json& word : array_at(container, {list}))
            if (word.is_string()) words.push_back(word.get<std::string>());
    const Usage demand = stress_demand(words);
    const std::int64_t asked = cpu ? demand.cpu_nano : demand.memory_bytes;
    double used = cpu ? static_cast<double>(milli_core) * (1 + 4 * part_of(hash, 32))
                      : static_cast<double>(mebibyte) * (8 + 24 * part_of(hash, 48));
    if (request > 0) used = static_cast<double>(request) * (cpu ? cpu_part : memory_part);
    // The example of the autoscaler's documentation does nothing until somebody asks it.
    if (cpu && string_at(container, {"image"}).find("hpa-example") != std::string_view::npos) used = static_cast<double>(milli_core);
    if (asked > 0) used = static_cast<double>(asked) * (cpu ? 0.985 : 1.02);
    used *= wave(hash, time, asked > 0 ? 0.01 : cpu ? 0.15 : 0.04);
    used += static_cast<double>(served);
    const std::int64_t limit = amount_at(container, "limits", cpu);
    return limit > 0 ? std::min(limit, whole(used)) : whole(used);
}

// The containers that are there for as long as the pod is, sidecars among them, and that run now.
std::vector<const Json*> running_containers(const Json& pod) {
    std::vector<const Json*> found;
    for (const char* kind : {"containers", "initContainers"}) {
        const bool init = kind[0] == 'i';
        const Json& statuses =
            array_at(pod, {"status", init ? "initContainerStatuses" : "containerStatuses"});
        for (const Json& container : array_at(pod, {"spec", kind})) {
            if (init && string_at(container, {"restartPolicy"}) != "Always") continue;
            bool runs = statuses.empty();  // whoever wrote the status did not go into details
            for (const Json& status : statuses) {
                if (string_at(status, {"name"}) == string_at(container, {"name"}))
                    runs = find(status, {"state", "running"}) != nullptr;
            }
            if (runs) found.push_back(&container);
        }
    }
    return found;
}

std::int64_t used_by(const Json& pod, const std::vector<const Json*>& containers, const Json& container,
                     Time time, bool cpu, const DeclaredUsage* declared) {
    const std::string resource = cpu ? "cpu" : "memory", name(string_at(container, {"name"}));
    if (const auto said = annotated(pod, "kubemu.io/" + resource + "-usage." + name, cpu)) return *said;
    if (const auto said = annotated(pod, "kubemu.io/" + resource + "-usage", cpu)) {
        std::int64_t all = 0;
        for (const Json* each : containers) all += amount_at(*each, "requests", cpu);
        if (all == 0) return *said / static_cast<std::int64_t>(containers.size());
        const double own = static_cast<double>(amount_at(container, "requests", cpu));
        return whole(static_cast<double>(*said) * own / static_cast<double>(all));
    }
    if (const auto said = declared == nullptr ? std::nullopt : declared->of(pod, container, resource, time))
        return whole(cpu ? *said * 1000 * milli_core : *said);
    if (const auto said = annotated(pod, "kwok.x-k8s.io/usage-" + resource, cpu)) return *said;
    const ServedLoad* load = cpu && declared != nullptr ? declared->load() : nullptr;
    const std::int64_t served = load == nullptr ? 0 : load->cpu_nano(uid_of(pod), name, time);
    return modelled(container, hash_of(uid_of(pod), name), time, cpu, served);
}

}  // namespace

Usage stress_demand(const std::vector<std::string>& words) {
    Usage demand;
    if (words.empty()) return demand;
    const std::string& first = words[0];
    const std::string program = first.substr(first.rfind('/') == std::string::npos ? 0 : first.rfind('/') + 1);
    const bool stress = program == "stress" || program == "stress-ng";
    if (!stress && first[0] != '-') return demand;
    std::int64_t processes = 1, each = 256 * mebibyte;  // what stress takes by itself
    bool memory = false;
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
        const std::string& flag = words[i];
        const std::int64_t count = std::clamp<std::int64_t>(std::atoll(words[i + 1].c_str()), 0, 1024);
        if (stress && (flag == "--cpu" || flag == "-c")) demand.cpu_nano = count * 1000 * milli_core;
        if (stress && (flag == "--vm" || flag == "-m")) processes = count, memory = true;
        if (stress && flag == "--vm-bytes") {
            std::string size = words[i + 1];  // 150M: of 1024 x 1024 bytes
            if (!size.empty() && std::string_view("KMG").find(size.back()) != std::string_view::npos) size += 'i';
            each = amount(size, false).value_or(each);
            memory = true;
        }
        if (!stress && flag == "-cpus") demand.cpu_nano = count * 1000 * milli_core;
        if (!stress && flag == "-mem-total") demand.memory_bytes = amount(words[i + 1], false).value_or(0);
    }
    if (memory) demand.memory_bytes = processes * each;
    return demand;
}

Usage& Usage::operator+=(const Usage& other) {
    cpu_nano += other.cpu_nano;
    memory_bytes += other.memory_bytes;
    return *this;
}

Usage PodUsage::total() const {
    Usage sum;
    for (const ContainerUsage& container : containers) sum += container.usage;
    return sum;
}

Time usage_time(Time now) {
    return now - now.time_since_epoch() % usage_window;
}

std::optional<PodUsage> usage_of_pod(const Json& pod, Time now, const DeclaredUsage* declared) {
    if (string_at(pod, {"status", "phase"}) != "Running") return std::nullopt;
    const std::vector<const Json*> containers = running_containers(pod);
    if (containers.empty()) return std::nullopt;
    PodUsage usage;
    // What started within the window was measured from then on.
    usage.timestamp =
        std::max(usage_time(now), std::min(now, parse_time_or_zero(string_at(pod, {"status", "startTime"}))));
    for (const Json* container : containers) {
        usage.containers.push_back({std::string(string_at(*container, {"name"})),
                                    {used_by(pod, containers, *container, usage.timestamp, true, declared),
                                     used_by(pod, containers, *container, usage.timestamp, false, declared)}});
    }
    return usage;
}

Usage usage_of_node(const Json& node, const Usage& pods, Time now) {
    const std::uint64_t hash = hash_of(uid_of(node), name_of(node));
    const Time time = usage_time(now);
    // The kubelet, the container runtime and the system.
    Usage usage = pods;
    usage +=
        {whole(static_cast<double>(milli_core) * (60 + 60 * part_of(hash, 32)) * wave(hash, time, 0.2)),
         whole(static_cast<double>(mebibyte) * (500 + 300 * part_of(hash, 48)) * wave(hash, time, 0.03))};
    usage.cpu_nano = annotated(node, "kubemu.io/cpu-usage", true).value_or(usage.cpu_nano);
    usage.memory_bytes = annotated(node, "kubemu.io/memory-usage", false).value_or(usage.memory_bytes);
    return usage;
}

}  // namespace kubemu::api
