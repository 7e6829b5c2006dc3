// Exchange: one resource request on its way through the handlers: what it asks, of which kind, and in which form it
// wants the answer.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/audit.h"
#include "api/headers.h"
#include "api/negotiate.h"
#include "api/registry.h"
#include "api/remote_calls.h"
#include "api/request.h"
#include "api/request_info.h"
#include "api/selector/field.h"
#include "api/selector/label.h"

namespace kubemu::api {

class PodLogs;
class PodStreams;
struct Access;

struct Exchange {
    explicit Exchange(Registry& given) : registry(given) {}

    Registry& registry;
    PodLogs* logs = nullptr;
    PodStreams* streams = nullptr;
    int minor = 36;  // of the Kubernetes version
    const Access* access = nullptr;
    Request request;
    HeadersPtr headers;  // of the request; null: those that it has fields for
    RequestInfo info;
    const KindSpec* kind = nullptr;
    AnswerForm form;
    std::vector<std::string> warnings;
    Respond respond;
    KindRegistry::Pin kinds;  // keeps `kind` and all that is found beside it
    // What connections are timed by: the cluster's clock may stand still, or run ahead of its clients.
    const Clock* connection_clock = nullptr;
    RemoteCaller* remote = nullptr;  // null: other servers cannot be asked
    RemoteCalls calls{};      // the answers that it waits for: it is handled again once they are there
    std::shared_ptr<AuditNotes> notes{};  // for the audit log; null: there is none
    std::shared_ptr<void> kept{};  // what a handler takes over from one time to the next
};
using ExchangePtr = std::shared_ptr<Exchange>;

// Label and field selectors of a list, watch or deletecollection.
struct Selection {
    LabelSelector labels;
    std::vector<FieldRequirement> fields;
    bool custom = false;  // of custom resources

    bool matches(const storage::Record& record) const;
    bool everything() const { return labels.empty() && fields.empty(); }
};
ApiResult<Selection> selection_of(const Exchange& exchange);

// Each answers the exchange, at once or when a write is durable.
ApiResult<bool> handle_get(const ExchangePtr& exchange);
ApiResult<bool> handle_list(const ExchangePtr& exchange);
ApiResult<bool> handle_watch(const ExchangePtr& exchange);
ApiResult<bool> handle_create(const ExchangePtr& exchange);
ApiResult<bool> handle_update(const ExchangePtr& exchange);
ApiResult<bool> handle_patch(const ExchangePtr& exchange);
ApiResult<bool> handle_delete(const ExchangePtr& exchange);
ApiResult<bool> handle_delete_collection(const ExchangePtr& exchange);
ApiResult<bool> handle_log(const ExchangePtr& exchange);
// exec, attach, portforward of a pod.
ApiResult<bool> handle_connect(const ExchangePtr& exchange);
// Kinds that are answered instead of stored.
bool is_review(const KindSpec& kind);
ApiResult<bool> handle_review(const ExchangePtr& exchange);
ApiResult<bool> handle_token_request(const ExchangePtr& exchange);

// Answers with JSON text of this type, in the encoding that was negotiated (see set_body); adds the warnings as
// headers.
void answer_json(Exchange& exchange, int code, Scatter json, const TypeInfo* type);
// ... with what is Protocol Buffers already.
void answer_protobuf(Exchange& exchange, int code, Scatter bytes);
void answer_status(Exchange& exchange, const Status& status);
// Answers with one object in the negotiated form and version.
void answer_record(Exchange& exchange, int code, const storage::Record& record);
// ... which is no record: a review, a Scale. It is no Table either.
void answer_document(Exchange& exchange, int code, const Json& document);
void answer_scale(Exchange& exchange, int code, const Json& scale);
// The record's bytes as this exchange's version shows them, with kind and apiVersion.
Slice object_text(const Registry& registry, const KindSpec& kind, const storage::Record& record);

// Whether the kind is compiled in, rather than made by a CustomResourceDefinition: those are served without routes.
bool is_builtin(const KindSpec& kind);

// The number in a query parameter. Errors: strconv's.
ApiResult<std::int64_t> number_parameter(const Exchange& exchange, std::string_view name, std::int64_t fallback);
ApiResult<storage::Revision> revision_parameter(const Exchange& exchange);
std::string key_prefix(const Exchange& exchange);

}  // namespace kubemu::api
