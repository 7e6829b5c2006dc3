// Stage: one step in the life of objects, as a user describes it (kwok.x-k8s.io/v1alpha1,
// https://kwok.sigs.k8s.io/docs/user/stages-configuration/): which objects it is for, when it comes, and what
// it does.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/values/object.h"
#include "controllers/kubelet/stages/jq.h"
#include "controllers/kubelet/stages/template.h"
#include "storage/base/clock.h"

namespace kubemu::api::cel {
struct Expression;
}

namespace kubemu::controllers::stages {

// A jq query or a CEL expression over `self`.
class Expression {
  public:
    // From an object with `jq`, `cel` or the older `field` (expressionFrom, key). Nothing when it has none of
    // them.
    static Result<std::optional<Expression>, std::string> read(const api::Json& object, const char* field);
    Expression(Expression&&) noexcept;
    Expression& operator=(Expression&&) noexcept;
    ~Expression();

    // Nothing when it fails. A CEL expression has one result; its durations and times are texts.
    std::optional<std::vector<api::Json>> run(const api::Json& object) const;

  private:
    Expression();
    std::optional<JqQuery> query_;
    std::unique_ptr<api::cel::Expression> program_;
};

struct Requirement {
    Expression expression;
    std::string op;  // In, NotIn, Exists, DoesNotExist; empty: the expression itself says true
    std::vector<std::string> values;

    bool holds(const api::Json& object) const;
};

struct StageStep {
    struct Patch {
        std::string subresource, root,
            type;          // type: json, merge, strategic; apply for `applies`; empty: the usual one
        std::string user;  // who writes; empty: the stages' own
        std::shared_ptr<const Template> text;
    };
    std::optional<Patch> patch, applies;
    struct Event {
        bool warning = false;
        std::string reason, message;
    };
    std::optional<Event> event;
    struct Finalizers {
        std::vector<std::string> add, remove;
        bool empty = false;
    };
    std::optional<Finalizers> finalizers;
    bool remove = false;
};

class Stage {
  public:
    // `functions` are those that its templates may name. The error says what is wrong with it.
    static Result<Stage, std::string> read(const api::Json& object, const TemplateFunctions& functions);

    std::string name, api_version, kind;  // of the objects it is for
    bool immediate = false;               // what comes next is looked for at once
    std::vector<StageStep> steps;

    bool matches(const api::Json& object) const;
    // How likely it is among others that match; nothing when its expression has no number to give.
    std::optional<std::int64_t> weight(const api::Json& object) const;
    // Shortest and longest time until it comes; equal without jitter.
    struct Delay {
        Duration least{}, most{};
    };
    Delay delay(const api::Json& object, Time now) const;

  private:
    bool nothing_ = false;                                     // without a selector it is for nobody
    std::map<std::string, std::string> labels_, annotations_;  // that it must have
    std::vector<Requirement> requirements_;
    std::int64_t weight_ = 0;
    std::optional<Expression> weight_from_, duration_from_, jitter_from_;
    Duration duration_{};
    std::optional<Duration> jitter_;
};

// "1h2m3.5s" as Go writes durations; nothing for anything else.
std::optional<Duration> parse_go_duration(const std::string& text);

}  // namespace kubemu::controllers::stages
