// Rules of Events: one stored kind that core/v1 and events.k8s.io/v1 show under different names of fields.
//
// Everything that core/v1 has written stays valid there; who uses events.k8s.io/v1 is held to more
// (kubernetes pkg/apis/core/validation/events.go).
#include <nlohmann/json.hpp>
#include <utility>

#include "api/kinds/go_syntax.h"
#include "api/kinds/rules.h"
#include "api/kinds/validation.h"
#include "api/values/names.h"

namespace kubemu::api::kinds {
namespace {

constexpr std::size_t reporting_instance_bytes_max = 128;
constexpr std::size_t action_bytes_max = 128;
constexpr std::size_t reason_bytes_max = 128;
constexpr std::size_t note_bytes_max = 1024;

// Names in core/v1 and in events.k8s.io/v1.
constexpr std::pair<const char*, const char*> names[] = {{"involvedObject", "regarding"},
                                                         {"message", "note"},
                                                         {"reportingComponent", "reportingController"},
                                                         {"source", "deprecatedSource"},
                                                         {"firstTimestamp", "deprecatedFirstTimestamp"},
                                                         {"lastTimestamp", "deprecatedLastTimestamp"},
                                                         {"count", "deprecatedCount"}};

void rename(Json& object, const char* from, const char* to) {
    if (const Json* value = find(object, from)) {
        Json moved = *value;
        object[to] = std::move(moved);
    }
    erase(object, from);
}

void to_core(Json& object) {
    for (const auto& [core, other] : names) rename(object, other, core);
}

void from_core(Json& object) {
    for (const auto& [core, other] : names) rename(object, core, other);
}

bool has_time(const Json& object, std::string_view member) {
    return !string_at(object, {member}).empty();
}

void limit_length(const Json& object, const char* member, std::size_t bytes_max, FieldErrors& errors) {
    if (string_at(object, {member}).size() <= bytes_max) return;
    errors.invalid(FieldPath(member), "", "can have at most " + std::to_string(bytes_max) + " characters");
}

// `object` is in the core form; `controller` is the name that the request's version has for reportingComponent.
void validate_event(const Json& object, std::string_view controller, FieldErrors& errors) {
    const std::string space(namespace_of(object));
    const std::string about(string_at(object, {"involvedObject", "namespace"}));
    const FieldPath about_path("involvedObject.namespace");
    constexpr const char* mismatch = "does not match event.namespace";
    if (!has_time(object, "eventTime")) {
        const bool fits = about.empty() ? space.empty() || space == "default" : about == space;
        if (!fits) errors.invalid(about_path, about, mismatch);
    } else {
        if (about.empty() && space != "default" && space != "kube-system") errors.invalid(about_path, about, mismatch);
        const std::string reporter(string_at(object, {"reportingComponent"}));
        if (reporter.empty()) errors.required(FieldPath(controller), "");
        validate_qualified_name(reporter, FieldPath(controller), errors);
        validate_required(string_at(object, {"reportingInstance"}), FieldPath("reportingInstance"), errors);
        limit_length(object, "reportingInstance", reporting_instance_bytes_max, errors);
        validate_required(string_at(object, {"action"}), FieldPath("action"), errors);
        limit_length(object, "action", action_bytes_max, errors);
        validate_required(string_at(object, {"reason"}), FieldPath("reason"), errors);
        limit_length(object, "reason", reason_bytes_max, errors);
        limit_length(object, "message", note_bytes_max, errors);
    }
    validate_dns1123_subdomain(space, FieldPath("namespace"), errors);
}

void validate_series(const Json& object, FieldErrors& errors) {
    const Json* series = find(object, "series");
    if (series == nullptr) return;
    if (int_at(*series, {"count"}) < 2) errors.invalid(FieldPath("series.count"), "", "should be at least 2");
    if (!has_time(*series, "lastObservedTime")) errors.required(FieldPath("series.lastObservedTime"), "");
}

void validate_core(const Json& object, const HookContext&, FieldErrors& errors) {
    validate_event(object, "reportingComponent", errors);
}

// events.k8s.io/v1beta1 is as lenient as core/v1.
bool is_lenient(const HookContext& context) { return context.kind.version == "v1beta1"; }

void validate_v1_create(const Json& object, const HookContext& context, FieldErrors& errors) {
    Json event = object;
    to_core(event);
    validate_event(event, "reportingController", errors);
    if (is_lenient(context)) return;
    validate_series(event, errors);
    if (!has_time(event, "eventTime")) errors.required(FieldPath("eventTime"), "");
    const std::string type(string_at(event, {"type"}));
    if (type != "Normal" && type != "Warning") errors.invalid(FieldPath("type"), "", "has invalid value: " + type);
    constexpr const char* unset = "needs to be unset";
    if (has_time(event, "firstTimestamp")) errors.invalid(FieldPath("firstTimestamp"), "", unset);
    if (has_time(event, "lastTimestamp")) errors.invalid(FieldPath("lastTimestamp"), "", unset);
    if (int_at(event, {"count"}) != 0) errors.invalid(FieldPath("count"), "", unset);
    if (!string_at(event, {"source", "component"}).empty() || !string_at(event, {"source", "host"}).empty()) {
        errors.invalid(FieldPath("source"), "", unset);
    }
}

constexpr GoField reference_fields[] = {{"Kind", "kind", "string"},
                                        {"Namespace", "namespace", "string"},
                                        {"Name", "name", "string"},
                                        {"UID", "uid", "string"},
                                        {"APIVersion", "apiVersion", "string"},
                                        {"ResourceVersion", "resourceVersion", "string"},
                                        {"FieldPath", "fieldPath", "string"}};
constexpr GoField source_fields[] = {{"Component", "component", "string"}, {"Host", "host", "string"}};

void validate_v1_update(const Json& object, const Json& given_old, const HookContext& context, FieldErrors& errors) {
    Json event = object, old = given_old;
    to_core(event);
    to_core(old);
    validate_event(event, "reportingController", errors);
    if (is_lenient(context)) return;
    const Json *series = find(event, "series"), *old_series = find(old, "series");
    const bool same = series == nullptr || old_series == nullptr ? series == old_series : *series == *old_series;
    if (!same) validate_series(event, errors);
    const auto keep_object = [&](const char* member, const char* type, std::span<const GoField> fields, bool pointer = false) {
        const Json* value = find(event, member);
        const Json nothing = Json::object();
        const GoText echo = value == nullptr && pointer ? GoText{"\"null\""} : go_struct(type, fields, value == nullptr ? nothing : *value);
        validate_immutable(value, find(old, member), echo, FieldPath(member), errors);
    };
    const auto keep = [&](const char* member, std::string_view shown = {}) {
        const FieldPath path(shown.empty() ? member : shown);
        const Json *now = find(event, member), *before = find(old, member);
        const bool time = path.text().ends_with("Time") || path.text().ends_with("Timestamp");
        if (time && now == nullptr) return validate_immutable(now, before, GoText{"null"}, path, errors);
        if ((now == nullptr && before != nullptr && before->is_string()) || (now != nullptr && now->is_string())) {
            return validate_immutable_text(string_at(event, {member}), string_at(old, {member}), path, errors);
        }
        validate_immutable(now, before, path, errors);
    };
    keep_object("involvedObject", "core.ObjectReference", reference_fields);
    keep("reason");
    keep("message");
    keep_object("source", "core.EventSource", source_fields);
    for (const char* member : {"firstTimestamp", "lastTimestamp", "count", "reason", "type", "eventTime", "action"})
        keep(member);
    keep_object("related", "core.ObjectReference", reference_fields, true);
    keep("reportingComponent", "reportingController");
    keep("reportingInstance");
}

}  // namespace

extern const KindRules event_rules;
const KindRules event_rules{.validate = validate_core};
extern const KindRules event_v1_rules;
const KindRules event_v1_rules{.validate_create = validate_v1_create,
                               .validate_update = validate_v1_update,
                               .to_storage = to_core,
                               .from_storage = from_core};

}  // namespace kubemu::api::kinds
