// Probes and lifecycle hooks: one handler each, and what each handler needs.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "api/kinds/core/pod_checks.h"
#include "api/kinds/validation.h"

namespace kubemu::api::pods {
namespace {

std::string_view text(const Json& object, std::string_view member) { return string_at(object, {member}); }

void validate_exec(const Json& exec, const FieldPath& path, FieldErrors& errors) {
    if (array_at(exec, {"command"}).empty()) errors.required(path.child("command"), "");
}

// validation.IsHTTPHeaderName.
bool valid_header_name(std::string_view name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
    });
}

void validate_http_get(const Json& get, const FieldPath& path, FieldErrors& errors) {
    if (text(get, "path").empty()) errors.required(path.child("path"), "");
    validate_port_number_or_name(find(get, "port"), path.child("port"), errors);
    const std::string_view scheme = text(get, "scheme");
    if (scheme != "HTTP" && scheme != "HTTPS") errors.not_supported(path.child("scheme"), scheme, {"HTTP", "HTTPS"});
    for (const Json& header : array_at(get, {"httpHeaders"})) {
        const std::string_view name = text(header, "name");
        if (valid_header_name(name)) continue;
        errors.invalid(path.child("httpHeaders"), std::string(name),
                       "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used "
                       "for validation is '[-A-Za-z0-9]+')");
    }
}

void validate_tcp_socket(const Json& socket, const FieldPath& path, FieldErrors& errors) {
    validate_port_number_or_name(find(socket, "port"), path.child("port"), errors);
}

void validate_grpc(const Json& grpc, const FieldPath& path, FieldErrors& errors) {
    validate_port_number(int_at(grpc, {"port"}), path.child("port"), errors);
}

constexpr UnionMember handlers[] = {
    {"exec", validate_exec}, {"httpGet", validate_http_get}, {"tcpSocket", validate_tcp_socket}, {"grpc", validate_grpc}};

// grace_seconds: of the pod, for sleep, which only hooks have.
void validate_handler(const Json& handler, const PodContext* context, const FieldPath& path, FieldErrors& errors) {
    int count = 0;
    for (const UnionMember& member : handlers) {
        const Json* value = find(handler, member.name);
        if (value == nullptr) continue;
        if (++count > 1) errors.forbidden(path.child(member.name), "may not specify more than 1 handler type");
        else member.validate(*value, path.child(member.name), errors);
    }
    if (const Json* sleep = find(handler, "sleep"); sleep != nullptr && context != nullptr) {
        const std::int64_t seconds = int_at(*sleep, {"seconds"});
        if (++count > 1) {
            errors.forbidden(path.child("sleep"), "may not specify more than 1 handler type");
        } else if (context->grace_seconds && (seconds < 0 || seconds > *context->grace_seconds)) {
            errors.invalid(path.child("sleep"), seconds,
                           "must be non-negative and less than terminationGracePeriodSeconds (" +
                               std::to_string(*context->grace_seconds) + ")");
        }
    }
    if (count == 0) errors.required(path, "must specify a handler type");
}

void validate_probe(const Json& probe, const FieldPath& path, FieldErrors& errors) {
    validate_handler(probe, nullptr, path, errors);
    for (const char* member : {"initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"}) {
        validate_non_negative(probe, member, path, errors);
    }
    const Json* grace = find(probe, "terminationGracePeriodSeconds");
    if (grace != nullptr && int_at(probe, {"terminationGracePeriodSeconds"}) <= 0) {
        errors.invalid(path.child("terminationGracePeriodSeconds"), *grace, "must be greater than 0");
    }
}

void validate_only_once(const Json& probe, const FieldPath& path, FieldErrors& errors) {
    const std::int64_t threshold = int_at(probe, {"successThreshold"});
    if (threshold != 1) errors.invalid(path.child("successThreshold"), threshold, "must be 1");
}

// Signals of core/v1.Signal by the operating system that has them.
bool linux_signal(std::string_view name) {
    static constexpr std::array<std::string_view, 36> plain = {
        "SIGABRT", "SIGALRM", "SIGBUS",  "SIGCHLD", "SIGCLD",    "SIGCONT",  "SIGFPE",  "SIGHUP",  "SIGILL",
        "SIGINT",  "SIGIO",   "SIGIOT",  "SIGKILL", "SIGPIPE",   "SIGPOLL",  "SIGPROF", "SIGPWR",  "SIGQUIT",
        "SIGSEGV", "SIGSTKFLT", "SIGSTOP", "SIGSYS", "SIGTERM",  "SIGTRAP",  "SIGTSTP", "SIGTTIN", "SIGTTOU",
        "SIGURG",  "SIGUSR1", "SIGUSR2", "SIGVTALRM", "SIGWINCH", "SIGXCPU", "SIGXFSZ", "SIGRTMIN", "SIGRTMAX"};
    if (std::find(plain.begin(), plain.end(), name) != plain.end()) return true;
    const auto offset = [&](std::string_view prefix, int most) {
        if (!name.starts_with(prefix)) return false;
        const std::string_view number = name.substr(prefix.size());
        if (number.empty() || number.size() > 2 || number.find_first_not_of("0123456789") != std::string_view::npos) return false;
        const int value = std::atoi(std::string(number).c_str());
        return number[0] != '0' && value <= most;
    };
    return offset("SIGRTMIN+", 15) || offset("SIGRTMAX-", 14);
}

std::vector<std::string> linux_signals() {
    std::vector<std::string> all;
    for (const char* name : {"SIGABRT", "SIGALRM", "SIGBUS", "SIGCHLD", "SIGCLD", "SIGCONT", "SIGFPE", "SIGHUP", "SIGILL",
                             "SIGINT", "SIGIO", "SIGIOT", "SIGKILL", "SIGPIPE", "SIGPOLL", "SIGPROF", "SIGPWR", "SIGQUIT",
                             "SIGRTMAX"}) {
        all.emplace_back(name);
    }
    for (int i = 1; i <= 14; ++i) all.push_back("SIGRTMAX-" + std::to_string(i));
    all.emplace_back("SIGRTMIN");
    for (int i = 1; i <= 15; ++i) all.push_back("SIGRTMIN+" + std::to_string(i));
    for (const char* name : {"SIGSEGV", "SIGSTKFLT", "SIGSTOP", "SIGSYS", "SIGTERM", "SIGTRAP", "SIGTSTP", "SIGTTIN", "SIGTTOU",
                             "SIGURG", "SIGUSR1", "SIGUSR2", "SIGVTALRM", "SIGWINCH", "SIGXCPU", "SIGXFSZ"}) {
        all.emplace_back(name);
    }
    std::sort(all.begin(), all.end());
    return all;
}

void validate_stop_signal(std::string_view signal, std::string_view os, const FieldPath& path, FieldErrors& errors) {
    if (os.empty()) return errors.forbidden(path, "may not be set for containers with empty `spec.os.name`");
    if (os == "windows" && signal != "SIGKILL" && signal != "SIGTERM") {
        errors.not_supported(path, signal, {"SIGKILL", "SIGTERM"});
    }
    if (os == "linux" && !linux_signal(signal)) errors.not_supported(path, signal, linux_signals());
}

}  // namespace

void validate_lifecycle(const Json& lifecycle, const PodContext& context, const FieldPath& path, FieldErrors& errors) {
    for (const char* hook : {"postStart", "preStop"}) {
        if (const Json* handler = find(lifecycle, hook)) validate_handler(*handler, &context, path.child(hook), errors);
    }
    if (find(lifecycle, "stopSignal") != nullptr) {
        validate_stop_signal(text(lifecycle, "stopSignal"), context.os, path.child("stopSignal"), errors);
    }
}

void validate_probes(const Json& container, const FieldPath& path, FieldErrors& errors) {
    if (const Json* probe = find(container, "livenessProbe")) {
        const FieldPath at = path.child("livenessProbe");
        validate_probe(*probe, at, errors);
        validate_only_once(*probe, at, errors);
    }
    if (const Json* probe = find(container, "readinessProbe")) {
        const FieldPath at = path.child("readinessProbe");
        validate_probe(*probe, at, errors);
        if (const Json* grace = find(*probe, "terminationGracePeriodSeconds")) {
            errors.invalid(at.child("terminationGracePeriodSeconds"), *grace, "must not be set for readinessProbes");
        }
    }
    if (const Json* probe = find(container, "startupProbe")) {
        const FieldPath at = path.child("startupProbe");
        validate_probe(*probe, at, errors);
        validate_only_once(*probe, at, errors);
    }
}

}  // namespace kubemu::api::pods
