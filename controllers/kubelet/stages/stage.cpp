// Reads Stages, and asks them about objects.
#include "controllers/kubelet/stages/stage.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "api/cel/checker.h"
#include "api/cel/evaluator.h"
#include "api/cel/times.h"
#include "api/values/time.h"

namespace kubemu::controllers::stages {

using api::Json;
using api::string_at;
namespace cel = api::cel;

namespace {

constexpr std::uint64_t cel_cost_max = 10'000'000;

std::string text_of(const Json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
}

// What a CEL expression gave, as a document; nothing for errors and for what no document holds.
std::optional<Json> document_of(const cel::Value& value) {
    switch (value.kind) {
        case cel::Kind::null:
            return Json();
        case cel::Kind::boolean:
            return Json(value.truth);
        case cel::Kind::integer:
            return Json(value.integer);
        case cel::Kind::unsigned_integer:
            return Json(value.unsigned_integer);
        case cel::Kind::real:
            return Json(value.real);
        case cel::Kind::string:
            return Json(value.str());
        case cel::Kind::duration:
            return Json(cel::duration_text(value));
        case cel::Kind::timestamp:
            return Json(cel::timestamp_text(value));
        default:
            return std::nullopt;
    }
}

std::vector<std::string> texts_at(const Json& object, const char* member, const char* inner = nullptr) {
    std::vector<std::string> found;
    for (const Json& each : api::array_at(object, {member})) {
        if (inner != nullptr)
            found.emplace_back(string_at(each, {inner}));
        else
            found.push_back(text_of(each));
    }
    return found;
}

Result<std::optional<StageStep::Patch>, std::string> read_patch(const Json* patch,
                                                                const TemplateFunctions& functions,
                                                                const char* impersonation) {
    if (patch == nullptr) return std::optional<StageStep::Patch>();
    StageStep::Patch made;
    made.subresource = string_at(*patch, {"subresource"});
    made.root = string_at(*patch, {"root"});
    made.type = string_at(*patch, {"type"});
    made.user = string_at(*patch, {impersonation, "username"});
    auto text = Template::parse(std::string(string_at(*patch, {"template"})), functions);
    if (!text) return text.error();
    made.text = std::make_shared<const Template>(std::move(*text));
    return std::optional<StageStep::Patch>(std::move(made));
}

std::optional<StageStep::Event> read_event(const Json* event) {
    if (event == nullptr) return std::nullopt;
    return StageStep::Event{string_at(*event, {"type"}) == "Warning",
                            std::string(string_at(*event, {"reason"})),
                            std::string(string_at(*event, {"message"}))};
}

std::optional<StageStep::Finalizers> read_finalizers(const Json* finalizers) {
    if (finalizers == nullptr) return std::nullopt;
    return StageStep::Finalizers{texts_at(*finalizers, "add", "value"),
                                 texts_at(*finalizers, "remove", "value"),
                                 api::bool_at(*finalizers, {"empty"})};
}

// `next`, which came before `steps`: its parts in the order in which they are done.
Json steps_of_next(const Json& next) {
    Json steps = Json::array();
    for (const char* member : {"event", "finalizers"})
        if (const Json* part = api::find(next, member)) steps.push_back({{member, *part}});
    const Json& patches = api::array_at(next, {"patches"});
    for (const Json& patch : patches) steps.push_back({{"patch", patch}});
    if (const auto text = string_at(next, {"statusTemplate"}); patches.empty() && !text.empty()) {
        Json patch = {{"subresource", std::string(string_at(next, {"statusSubresource"}, "status"))},
                      {"root", "status"},
                      {"template", std::string(text)}};
        if (const Json* as = api::find(next, "statusPatchAs")) patch["impersonation"] = *as;
        steps.push_back({{"patch", std::move(patch)}});
    }
    if (api::bool_at(next, {"delete"})) steps.push_back({{"delete", true}});
    return steps;
}

std::map<std::string, std::string> text_map(const Json& map) {
    std::map<std::string, std::string> found;
    for (const auto& [key, value] : map.items()) found[key] = text_of(value);
    return found;
}

bool includes(const std::map<std::string, std::string>& wanted, const Json& there) {
    for (const auto& [key, value] : wanted) {
        const Json* found = api::find(there, key);
        if (found == nullptr || *found != value) return false;
    }
    return true;
}

}  // namespace

Expression::Expression() = default;
Expression::Expression(Expression&&) noexcept = default;
Expression& Expression::operator=(Expression&&) noexcept = default;
Expression::~Expression() = default;

Result<std::optional<Expression>, std::string> Expression::read(const Json& object, const char* field) {
    if (const Json* source = api::find(object, {"cel", "expression"});
        source != nullptr && source->is_string()) {
        Expression made;
        std::vector<cel::Issue> issues;
        const std::string text = source->get<std::string>();
        made.program_ = cel::parse(text, issues);
        if (made.program_ != nullptr) cel::check(*made.program_, {{"self", cel::simple_type("dyn")}}, issues);
        if (!issues.empty() || made.program_ == nullptr) return cel::print_issues(text, issues);
        return std::optional<Expression>(std::move(made));
    }
    std::string_view text = string_at(object, {"jq", field[0] == 'k' ? "key" : "expression"});
    if (text.empty()) text = string_at(object, {field});
    if (text.empty()) return std::optional<Expression>();
    Expression made;
    auto query = JqQuery::parse(std::string(text));
    if (!query) return "\"" + std::string(text) + "\": " + query.error();
    made.query_.emplace(std::move(*query));
    return std::optional<Expression>(std::move(made));
}

std::optional<std::vector<Json>> Expression::run(const Json& object) const {
    if (query_) return query_->run(object);
    const cel::Outcome outcome =
        cel::evaluate(*program_, {{"self", cel::Value::from(object, nullptr)}}, cel_cost_max);
    const auto document = document_of(outcome.value);
    if (!document) return std::nullopt;
    return std::vector<Json>{*document};
}

bool Requirement::holds(const Json& object) const {
    const auto found = expression.run(object);
    if (op.empty()) return found && !found->empty() && found->front() == Json(true);
    const bool negated = op == "NotIn" || op == "DoesNotExist";
    bool positive = found && !found->empty();
    if (op == "In" || op == "NotIn") {
        positive = positive && std::any_of(found->begin(), found->end(), [&](const Json& value) {
                       return !value.is_structured() &&
                              std::find(values.begin(), values.end(), text_of(value)) != values.end();
                   });
    }
    return positive != negated;
}

Result<Stage, std::string> Stage::read(const Json& object, const TemplateFunctions& functions) {
    Stage made;
    const Json& spec = api::object_at(object, {"spec"});
    made.name = api::name_of(object);
    made.api_version = string_at(spec, {"resourceRef", "apiGroup"}, "v1");
    made.kind = string_at(spec, {"resourceRef", "kind"});
    made.immediate = api::bool_at(spec, {"immediateNextStage"});
    const Json* selector = api::find(spec, "selector");
    made.nothing_ = selector == nullptr;
    if (selector != nullptr) {
        made.labels_ = text_map(api::object_at(*selector, {"matchLabels"}));
        made.annotations_ = text_map(api::object_at(*selector, {"matchAnnotations"}));
        for (const Json& entry : api::array_at(*selector, {"matchExpressions"})) {
            TRY_ASSIGN(auto expression, Expression::read(entry, "key"));
            if (!expression) return std::string("matchExpressions: an entry has neither key nor jq nor cel");
            const Json& said = api::find(entry, "jq") != nullptr ? entry["jq"] : entry;
            Requirement requirement{std::move(*expression), std::string(string_at(said, {"operator"})),
                                    texts_at(said, "values")};
            if (api::find(entry, "cel") != nullptr)
                requirement.op.clear();
            else if (requirement.op != "In" && requirement.op != "NotIn" && requirement.op != "Exists" &&
                     requirement.op != "DoesNotExist")
                return "matchExpressions: operator \"" + requirement.op + "\" is not supported";
            made.requirements_.push_back(std::move(requirement));
        }
    }
    made.weight_ = api::int_at(spec, {"weight"});
    const Json& delay = api::object_at(spec, {"delay"});
    made.duration_ = std::chrono::milliseconds(api::int_at(delay, {"durationMilliseconds"}));
    if (api::find(delay, "jitterDurationMilliseconds") != nullptr)
        made.jitter_ = std::chrono::milliseconds(api::int_at(delay, {"jitterDurationMilliseconds"}));
    TRY_ASSIGN(made.weight_from_, Expression::read(api::object_at(spec, {"weightFrom"}), "expressionFrom"));
    TRY_ASSIGN(made.duration_from_,
               Expression::read(api::object_at(delay, {"durationFrom"}), "expressionFrom"));
    TRY_ASSIGN(made.jitter_from_,
               Expression::read(api::object_at(delay, {"jitterDurationFrom"}), "expressionFrom"));
    Json steps = api::array_at(spec, {"steps"});
    if (steps.empty()) steps = steps_of_next(api::object_at(spec, {"next"}));
    for (const Json& entry : steps) {
        StageStep step;
        TRY_ASSIGN(step.patch, read_patch(api::find(entry, "patch"), functions, "impersonation"));
        TRY_ASSIGN(step.applies, read_patch(api::find(entry, "apply"), functions, "impersonation"));
        step.event = read_event(api::find(entry, "event"));
        step.finalizers = read_finalizers(api::find(entry, "finalizers"));
        step.remove = api::bool_at(entry, {"delete"});
        made.steps.push_back(std::move(step));
    }
    return made;
}

bool Stage::matches(const Json& object) const {
    if (nothing_) return false;
    if (!includes(labels_, api::object_at(object, {"metadata", "labels"}))) return false;
    if (!includes(annotations_, api::object_at(object, {"metadata", "annotations"}))) return false;
    return std::all_of(requirements_.begin(), requirements_.end(),
                       [&](const Requirement& each) { return each.holds(object); });
}

std::optional<std::int64_t> Stage::weight(const Json& object) const {
    if (!weight_from_) return weight_;
    const auto found = weight_from_->run(object);
    if (!found || found->empty()) return weight_;
    const Json& value = found->front();
    if (value.is_number()) return static_cast<std::int64_t>(value.get<double>());
    if (!value.is_string()) return weight_;
    const std::string& text = value.get_ref<const std::string&>();
    std::int64_t number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size())
        return std::nullopt;
    return number;
}

namespace {

// A time counts from now on, a text is a duration; nothing when the expression names none and there is no
// other value.
std::optional<Duration> duration_from(const std::optional<Expression>& expression,
                                      std::optional<Duration> value, const Json& object, Time now) {
    if (!expression) return value;
    const auto found = expression->run(object);
    if (!found || found->empty() || !found->front().is_string()) return value;
    const std::string& text = found->front().get_ref<const std::string&>();
    if (text.empty()) return std::nullopt;
    if (const auto time = api::parse_time(text)) return *time - now;
    if (const auto duration = parse_go_duration(text)) return duration;
    return value;
}

}  // namespace

Stage::Delay Stage::delay(const Json& object, Time now) const {
    const auto least = duration_from(duration_from_, duration_, object, now);
    if (!least) return {};
    const bool jitters = jitter_ || jitter_from_;
    const auto most = jitters ? duration_from(jitter_from_, jitter_, object, now) : std::nullopt;
    if (!most) return {*least, *least};
    return {std::min(*least, *most), *most};
}

std::optional<Duration> parse_go_duration(const std::string& text) {
    if (text == "0") return Duration(0);
    double total = 0;
    const char *at = text.data(), *end = text.data() + text.size();
    const bool negative = at != end && *at == '-';
    if (at != end && (*at == '-' || *at == '+')) ++at;
    if (at == end) return std::nullopt;
    while (at != end) {
        double number = 0;
        const auto parsed = std::from_chars(at, end, number, std::chars_format::fixed);
        if (parsed.ec != std::errc() || *at == '-') return std::nullopt;
        const char* unit = parsed.ptr;
        at = std::find_if(unit, end, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
        const std::string_view name(unit, static_cast<std::size_t>(at - unit));
        double scale = 0;
        if (name == "h")
            scale = 3600e6;
        else if (name == "m")
            scale = 60e6;
        else if (name == "s")
            scale = 1e6;
        else if (name == "ms")
            scale = 1e3;
        else if (name == "us" || name == "µs")
            scale = 1;
        else if (name == "ns")
            scale = 1e-3;
        else
            return std::nullopt;
        total += number * scale;
    }
    return Duration(static_cast<Duration::rep>(negative ? -total : total));
}

}  // namespace kubemu::controllers::stages
