// DELETE of one object and of a collection.
#include <atomic>
#include <nlohmann/json.hpp>
#include <optional>

#include "api/codec/json.h"
#include "api/decode.h"
#include "api/deletion.h"
#include "api/encode_answer.h"
#include "api/forms.h"
#include "api/kinds/views.h"
#include "api/lists.h"
#include "api/pending.h"
#include "api/request_scope.h"
#include "api/values/text.h"
#include "storage/base/mutex.h"

namespace kubemu::api {
namespace {

// The deletion that a request asks for.
struct AskedDeletion {
    DeleteOptions options;
    // orphanDependents=false: 202 while the object waits for something.
    bool cascades = false;
    std::string text;  // the options as admission is told of them
};

void answer_deleted(Exchange& exchange, const Written& written, bool cascades) {
    // A Status takes no other form, whatever was asked for.
    if (!written.deleted || exchange.kind->delete_returns_object) {
        return answer_record(exchange, cascades && !written.deleted ? 202 : 200, *written.record);
    }
    const ObjectView& view = view_of(*written.record);
    std::string text =
        R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success","details":{"name":)";
    append_json_string(text, view.name);
    if (!exchange.kind->group.empty()) {
        text += ",\"group\":";
        append_json_string(text, exchange.kind->group);
    }
    text += ",\"kind\":";
    append_json_string(text, exchange.kind->plural);
    text += ",\"uid\":";
    append_json_string(text, view.uid);
    text += "}}\n";
    Scatter parts;
    parts.push_back(Slice::of(std::move(text)));
    answer_json(exchange, 200, std::move(parts), &status_type());
}

// What the query says, in the form of a body.
ApiResult<Json> queried_options(const Exchange& exchange) {
    const RequestInfo& info = exchange.info;
    Json options = Json::object();
    if (info.has("gracePeriodSeconds")) {
        TRY_ASSIGN(options["gracePeriodSeconds"], number_parameter(exchange, "gracePeriodSeconds", 0));
    }
    if (info.has("propagationPolicy"))
        options["propagationPolicy"] = std::string(info.parameter("propagationPolicy"));
    if (info.has("orphanDependents")) options["orphanDependents"] = info.flag("orphanDependents");
    const auto [first, last] = info.query.equal_range("dryRun");
    for (auto at = first; at != last; ++at) options["dryRun"].push_back(at->second);
    for (const char* precondition : {"uid", "resourceVersion"}) {
        const std::string_view wanted = info.parameter(precondition);
        if (!wanted.empty()) options["preconditions"][precondition] = std::string(wanted);
    }
    return options;
}

// A body counts alone; without one the query does.
ApiResult<AskedDeletion> asked_deletion(const Exchange& exchange) {
    const bool sent = !exchange.request.body.empty();
    TRY_ASSIGN(const Json given, sent ? decode_delete_options(exchange) : queried_options(exchange));
    AskedDeletion asked;
    DeleteOptions& options = asked.options;
    if (const Json* seconds = find(given, "gracePeriodSeconds"))
        options.grace_period_seconds = seconds->get<std::int64_t>();
    options.propagation_policy = string_at(given, {"propagationPolicy"});
    if (find(given, "orphanDependents") != nullptr) {
        asked.cascades = !bool_at(given, {"orphanDependents"});
        options.propagation_policy = asked.cascades ? "Background" : "Orphan";
    }
    options.precondition_uid = string_at(given, {"preconditions", "uid"});
    options.precondition_revision = string_at(given, {"preconditions", "resourceVersion"});
    std::vector<std::string> dry_run;
    for (const Json& value : array_at(given, {"dryRun"})) dry_run.push_back(value.get<std::string>());
    FieldErrors errors;
    check_delete_options(given, errors);
    options.dry_run = check_dry_run(dry_run, errors);
    if (!errors.empty()) return Status::invalid("meta.k8s.io", "DeleteOptions", {}, errors);
    Json shown = given;
    shown["kind"] = "DeleteOptions";
    shown["apiVersion"] = "meta.k8s.io/v1";
    asked.text = encode_raw(shown);
    return asked;
}

}  // namespace

namespace {

// Deleting a Job leaves its pods, unless one says otherwise (kubernetes pkg/registry/batch/job/storage).
void warn_of_orphans(Exchange& exchange, const AskedDeletion& asked) {
    if (exchange.kind->resource != "jobs.batch" || !asked.options.propagation_policy.empty()) return;
    exchange.warnings.emplace_back(
        "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set "
        "propagationPolicy=Orphan to suppress this warning");
}

}  // namespace

ApiResult<bool> handle_delete(const ExchangePtr& exchange) {
    TRY_ASSIGN(WriteContext context, write_context(*exchange, "DeleteOptions"));
    TRY_ASSIGN(const AskedDeletion asked, asked_deletion(*exchange));
    warn_of_orphans(*exchange, asked);
    context.dry_run = asked.options.dry_run;
    if (RequestScope* scope = RequestScope::current()) scope->options = asked.text;
    auto pending = std::make_shared<Pending>(exchange, [cascades = asked.cascades](Exchange& answered, const Written& written) {
        answer_deleted(answered, written, cascades);
    });
    TRY_ASSIGN(Written written,
               exchange->registry.remove(*exchange->kind, write_scope(*exchange), exchange->info.name,
                                         asked.options, context, Pending::completion(pending)));
    Pending::result(pending, std::move(written));
    return true;
}

namespace {

// Waits until all removals of a collection are durable, then answers with what was there. The handler holds one place
// itself while it still starts removals.
class CollectionRemoval {
  public:
    CollectionRemoval(ExchangePtr exchange, FoundList found) : exchange_(std::move(exchange)), found_(std::move(found)) {}

    static storage::Completion completion(const std::shared_ptr<CollectionRemoval>& self) {
        return [self](const storage::Error* failure) {
            if (failure != nullptr) {
                Lock lock(self->mutex_);
                self->failure_ = *failure;
            }
            self->leave();
        };
    }
    const FoundList& found() const { return found_; }
    // Whether the removal of a record has been accepted.
    std::vector<bool>& accepted() { return accepted_; }
    void enter() { waiting_.fetch_add(1); }
    void leave() {
        if (waiting_.fetch_sub(1) > 1) return;
        std::optional<storage::Error> failure;
        {
            Lock lock(mutex_);
            failure = failure_;
        }
        if (failure) return answer_status(*exchange_, Status::internal(storage::to_string(*failure)));
        when_readable(exchange_, found_.records, [exchange = exchange_, found = found_] {
            if (const auto answered = answer_list(*exchange, found); !answered) answer_status(*exchange, answered.error());
        });
    }

  private:
    ExchangePtr exchange_;
    const FoundList found_;
    std::vector<bool> accepted_ = std::vector<bool>(found_.records.size());
    std::atomic<int> waiting_{1};
    Mutex mutex_;
    std::optional<storage::Error> failure_ KUBEMU_GUARDED_BY(mutex_);
};

}  // namespace

ApiResult<bool> handle_delete_collection(const ExchangePtr& exchange) {
    const KindSpec& kind = *exchange->kind;
    TRY_ASSIGN(WriteContext context, write_context(*exchange, "DeleteOptions"));
    TRY_ASSIGN(const Selection selection, selection_of(*exchange));
    TRY_ASSIGN(const ListQuery query, list_query(*exchange));
    TRY_ASSIGN(const AskedDeletion asked, asked_deletion(*exchange));
    warn_of_orphans(*exchange, asked);
    context.dry_run = asked.options.dry_run;
    if (RequestScope* scope = RequestScope::current()) scope->options = asked.text;
    TRY(check_partial_form(*exchange, true));
    // What was found stays when the request is run again because webhooks had to be asked about some of it.
    auto removal = std::static_pointer_cast<CollectionRemoval>(std::exchange(exchange->kept, nullptr));
    if (removal == nullptr) {
        TRY_ASSIGN(FoundList found, find_list(*exchange, query, selection));
        removal = std::make_shared<CollectionRemoval>(exchange, std::move(found));
    }
    for (std::size_t i = 0; i < removal->found().records.size(); ++i) {
        if (removal->accepted()[i]) continue;
        const ObjectView& view = view_of(*removal->found().records[i]);
        removal->enter();
        const std::size_t asked_before = exchange->calls.waiting_count();
        const auto removed = exchange->registry.remove(kind, view.namespace_name, view.name, asked.options, context,
                                                       CollectionRemoval::completion(removal));
        removal->accepted()[i] = removed.has_value();
        if (removed && removed->pending) continue;
        const bool waits = exchange->calls.waiting_count() > asked_before;
        // Somebody else's removal is as good; any other failure ends it, with what is gone by then gone. The place that
        // this function holds is not left then, so that nobody else answers.
        if (!removed && !waits && removed.error().code() != 404) {
            exchange->calls.forget();
            return removed.error();
        }
        removal->leave();
    }
    if (exchange->calls.waiting()) {
        exchange->kept = removal;
        return waits_for_answer();
    }
    removal->leave();
    return true;
}

}  // namespace kubemu::api
