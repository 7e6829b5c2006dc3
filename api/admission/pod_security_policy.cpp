// Reading the labels pod-security.kubernetes.io/*.
#include "api/admission/pod_security_policy.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

namespace kubemu::api {
namespace {

std::optional<PodSecurityLevel> parse_level(std::string_view text) {
    if (text == "privileged") return PodSecurityLevel::privileged;
    if (text == "baseline") return PodSecurityLevel::baseline;
    if (text == "restricted") return PodSecurityLevel::restricted;
    return std::nullopt;
}

// "latest" or "v1.x"; -1 for the latest.
std::optional<int> parse_version(std::string_view text) {
    if (text == "latest") return -1;
    if (!text.starts_with("v1.")) return std::nullopt;
    text.remove_prefix(3);
    if (text.empty() || text.size() > 6 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
    if (text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
    int minor = 0;
    std::from_chars(text.data(), text.data() + text.size(), minor);
    return minor;
}

class Reader {
  public:
    Reader(const Json& labels, FieldErrors& errors) : labels_(labels), errors_(errors) {}

    bool has(const std::string& mode) const { return find(labels_, label(mode)) != nullptr; }

    // True when there is a level and it is known.
    bool level(const std::string& mode, PodSecurityLevel fallback, PodSecurityLevel& level) {
        if (!has(mode)) return false;
        const std::string text(string_at(labels_, {label(mode)}));
        const auto parsed = parse_level(text);
        level = parsed.value_or(fallback);
        if (!parsed) complain(mode, text, "must be one of privileged, baseline, restricted");
        return parsed.has_value();
    }

    void version(const std::string& mode, int& minor) {
        if (!has(mode)) return;
        const std::string text(string_at(labels_, {label(mode)}));
        const auto parsed = parse_version(text);
        minor = parsed.value_or(-1);
        if (!parsed) complain(mode, text, "must be \"latest\" or \"v1.x\"");
    }

  private:
    static std::string label(const std::string& mode) { return "pod-security.kubernetes.io/" + mode; }
    void complain(const std::string& mode, const std::string& value, const char* why) {
        errors_.invalid(FieldPath("metadata.labels").key(label(mode)), value, why);
    }

    const Json& labels_;
    FieldErrors& errors_;
};

}  // namespace

std::string PodSecurityStandard::text() const {
    const char* name = level == PodSecurityLevel::privileged ? "privileged"
                       : level == PodSecurityLevel::baseline ? "baseline"
                                                             : "restricted";
    return std::string(name) + (minor < 0 ? ":latest" : ":v1." + std::to_string(minor));
}

PodSecurityPolicy pod_security_policy(const Json& labels, FieldErrors& errors) {
    PodSecurityPolicy policy;
    Reader reader(labels, errors);
    const bool enforces = reader.level("enforce", PodSecurityLevel::restricted, policy.enforce.level);
    reader.version("enforce-version", policy.enforce.minor);
    reader.level("audit", PodSecurityLevel::privileged, policy.audit.level);
    reader.version("audit-version", policy.audit.minor);
    reader.level("warn", PodSecurityLevel::privileged, policy.warn.level);
    reader.version("warn-version", policy.warn.minor);
    // What is enforced on pods is at least told to those who write their controllers.
    if (!reader.has("warn") && enforces && policy.enforce.level > policy.warn.level) {
        policy.warn.level = policy.enforce.level;
        if (!reader.has("warn-version")) policy.warn.minor = policy.enforce.minor;
    }
    return policy;
}

}  // namespace kubemu::api
