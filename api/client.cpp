// Controllers' way into the registry.
#include "api/client.h"

#include <nlohmann/json.hpp>

#include "api/apply/managed_fields.h"
#include "api/registry.h"
#include "api/subresources/subresources.h"

namespace kubemu::api {

Client::Client(Registry& registry, User user, std::string user_agent)
    : registry_(registry), user_(std::move(user)), user_agent_(std::move(user_agent)) {}

namespace {

WriteContext context_of(const User& user, const std::string& agent) {
    WriteContext context;
    context.user = user;
    context.field_manager = manager_of_agent(agent);
    context.field_validation = WriteContext::FieldValidation::ignore;
    return context;
}

}  // namespace

ApiResult<storage::RecordPtr> Client::create(const KindSpec& kind, std::string_view namespace_name, Json object) {
    TRY_ASSIGN(Written written, registry_.create(kind, namespace_name, std::move(object), context_of(user_, user_agent_)));
    if (written.pending) last_revision_ = written.record->revision;
    return written.record;
}

ApiResult<storage::RecordPtr> Client::update(const KindSpec& kind, Json object, std::string_view subresource) {
    const std::string space(namespace_of(object)), name(name_of(object));
    const auto replace = [&object](Json& current, bool) -> ApiResult<bool> {
        current = object;
        return true;
    };
    TRY_ASSIGN(Written written, registry_.update(kind, space, name, subresource, replace, context_of(user_, user_agent_)));
    if (written.pending) last_revision_ = written.record->revision;
    return written.record;
}

ApiResult<storage::RecordPtr> Client::modify(const KindSpec& kind, std::string_view namespace_name, std::string_view name,
                                             std::string_view subresource, const std::function<bool(Json&)>& change) {
    const auto apply = [&change](Json& current, bool exists) -> ApiResult<bool> { return exists && change(current); };
    TRY_ASSIGN(Written written, registry_.update(kind, namespace_name, name, subresource, apply, context_of(user_, user_agent_)));
    if (written.pending) last_revision_ = written.record->revision;
    return written.record;
}

ApiResult<storage::RecordPtr> Client::apply(const KindSpec& kind, std::string_view namespace_name, Json configuration,
                                            std::string_view field_manager, std::string_view subresource) {
    WriteContext context = context_of(user_, user_agent_);
    context.field_manager = field_manager;
    context.owners_settled = true;
    const std::string name(name_of(configuration));
    const auto change = [&](Json& current, bool exists) -> ApiResult<bool> {
        if (!exists) return false;
        TRY_ASSIGN(current, registry_.apply_configuration(kind, subresource, std::move(current), configuration, true, context));
        return true;
    };
    TRY_ASSIGN(Written written, registry_.update(kind, namespace_name, name, subresource, change, context));
    if (written.pending) last_revision_ = written.record->revision;
    return written.record;
}

ApiResult<bool> Client::remove(const KindSpec& kind, std::string_view namespace_name, std::string_view name,
                               const DeleteOptions& options) {
    TRY_ASSIGN(Written written, registry_.remove(kind, namespace_name, name, options, context_of(user_, user_agent_)));
    if (written.pending) last_revision_ = written.record->revision;
    return written.deleted;
}

ApiResult<Json> Client::create_subresource(const KindSpec& kind, std::string_view namespace_name, std::string_view name,
                                           std::string_view subresource, Json body) {
    const WriteContext context = context_of(user_, user_agent_);
    TRY_ASSIGN(Written written, post_subresource(registry_, kind, namespace_name, name, subresource, body, context, {}));
    if (written.pending) last_revision_ = written.record->revision;
    return Json::object();
}

ApiResult<storage::RecordPtr> Client::get(const KindSpec& kind, std::string_view namespace_name, std::string_view name) const {
    auto record = registry_.get(kind.resource, namespace_name, name);
    if (!record) return Status::not_found(kind.group, kind.plural, name);
    return record;
}

Json Client::document(const storage::Record& record) const { return registry_.document(record); }

std::shared_ptr<const Json> Client::read(const storage::Record& record) const { return registry_.read(record); }

}  // namespace kubemu::api
