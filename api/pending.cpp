// Joins the result of a write with its durability.
#include "api/pending.h"

#include <nlohmann/json.hpp>

#include "api/conversion_webhook.h"
#include "api/codec/json.h"
#include "api/request_scope.h"
#include "api/subresources/subresources.h"

namespace kubemu::api {

storage::Completion Pending::completion(const std::shared_ptr<Pending>& self) {
    return [self](const storage::Error* failure) {
        if (failure != nullptr) self->failure_ = *failure;
        self->arrive();
    };
}

void Pending::result(const std::shared_ptr<Pending>& self, Written written) {
    const bool pending = written.pending;
    self->written_ = std::move(written);
    self->arrive();
    if (!pending) self->arrive();
}

void Pending::arrive() {
    if (arrived_.fetch_add(1) == 0) return;
    if (failure_) return answer_status(*exchange_, Status::internal(storage::to_string(*failure_)));
    when_readable(exchange_, {written_->record}, [exchange = exchange_, answer = std::move(answer_), written = *written_] { answer(*exchange, written); });
}

void when_readable(const ExchangePtr& exchange, std::vector<storage::RecordPtr> records, std::function<void()> answer) {
    const auto ready = make_readable(exchange->registry, *exchange->kind, records, exchange->calls);
    if (ready) return answer();
    if (!exchange->calls.waiting() || exchange->remote == nullptr) return answer_status(*exchange, ready.error());
    exchange->calls.start(*exchange->remote, [exchange, records = std::move(records), answer = std::move(answer)]() mutable {
        when_readable(exchange, std::move(records), std::move(answer));
    });
}

std::string_view write_scope(const Exchange& exchange) {
    return exchange.kind->namespaced ? std::string_view(exchange.info.namespace_name) : std::string_view();
}

Status name_undeterminable(std::string_view name) {
    return Status::bad_request("the name of the object (" + std::string(name) +
                               " based on URL) was undeterminable: name must be provided");
}

ApiResult<bool> check_namespace(const Exchange& exchange, const Json& object) {
    const std::string_view space = namespace_of(object);
    if (exchange.kind->namespaced && !space.empty() && space != exchange.info.namespace_name) {
        return Status::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request");
    }
    return true;
}

ApiResult<bool> check_names(const Exchange& exchange, const Json& object) {
    const std::string name(name_of(object));
    if (name != exchange.info.name) {
        return Status::bad_request("the name of the object (" + name +
                                   ") does not match the name on the URL (" + exchange.info.name + ")");
    }
    return check_namespace(exchange, object);
}

ApiResult<bool> answer_update(const ExchangePtr& exchange, const Registry::Change& change,
                              WriteContext context) {
    const RequestInfo& info = exchange->info;
    const bool scale = info.subresource == "scale";
    // Who owns the replicas was settled between the object and its Scale.
    context.owners_settled = context.owners_settled || scale;
    if (RequestScope* scope = RequestScope::current()) scope->through_scale = scale;
    auto pending = std::make_shared<Pending>(exchange, [scale](Exchange& answered, const Written& written) {
        if (!scale) return answer_record(answered, written.created ? 201 : 200, *written.record);
        answer_scale(answered, 200, scale_of(*answered.kind, answered.registry.document(*written.record)));
    });
    const std::string_view part = scale ? std::string_view() : std::string_view(info.subresource);
    TRY_ASSIGN(Written written,
               exchange->registry.update(*exchange->kind, write_scope(*exchange), info.name, part, change,
                                         context, Pending::completion(pending)));
    Pending::result(pending, std::move(written));
    return true;
}

}  // namespace kubemu::api
