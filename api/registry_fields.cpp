// The registry's side of field ownership: versions of kinds, the writer, the time.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/apply/field_manager.h"
#include "api/crd/custom_resource.h"
#include "api/draft.h"
#include "api/registry_impl.h"
#include "api/subresources/subresources.h"
#include "api/values/time.h"

namespace kubemu::api {
namespace {

const KindSpec* spec_in_version(const KindRegistry& kinds, std::string_view resource,
                                std::string_view api_version) {
    const auto& all = kinds.all();
    const auto at = std::find_if(all.begin(), all.end(), [&](const KindSpec* spec) {
        return spec->resource == resource && api_version_of(*spec) == api_version;
    });
    return at == all.end() ? nullptr : *at;
}

}  // namespace

FieldManager Registry::Impl::field_manager(const KindSpec& kind, std::string_view subresource,
                                           const WriteContext& context) const {
    FieldManager::Options fields{
        *kind.type,
        api_version_of(kind),
        std::string(kind.kind),
        std::string(subresource),
        context.field_manager,
        format_time(now()),
        {},
        // A custom resource resets what its definition does.
        reset_fields(kind.custom != nullptr ? std::string_view("apiextensions.k8s.io") : kind.group, kind.plural, subresource, kind.subresource("status") != nullptr)};
    fields.convert = [this, &kind](Json& object, const std::string& version) -> const TypeInfo* {
        const KindSpec* from =
            spec_in_version(options.kinds, kind.resource, string_at(object, {"apiVersion"}));
        const KindSpec* to = spec_in_version(options.kinds, kind.resource, version);
        if (from == nullptr || to == nullptr) return nullptr;
        object = from_storage(*to, to_storage(*from, std::move(object)));
        object["apiVersion"] = version;
        return to->type;
    };
    return FieldManager(std::move(fields));
}

ApiResult<Json> Registry::apply_configuration(const KindSpec& kind, std::string_view subresource,
                                              Json live, Json patch, bool force,
                                              const WriteContext& context) const {
    return impl_->field_manager(kind, subresource, context).apply(std::move(live), std::move(patch), force);
}

void Registry::track_fields(const KindSpec& kind, std::string_view subresource, const Json& live,
                            Json& object, const WriteContext& context) const {
    impl_->field_manager(kind, subresource, context).update(live, object);
}

namespace {

FieldManager scale_manager(const WriteContext& context, Time now) {
    return FieldManager(FieldManager::Options{*find_type("autoscaling/v1.Scale"),
                                              "autoscaling/v1",
                                              "Scale",
                                              "scale",
                                              context.field_manager,
                                              format_time(now),
                                              {},
                                              reset_fields({}, {}, "scale", false)});
}

}  // namespace

ApiResult<bool> Registry::write_scale(const KindSpec& kind, Json& object, Json scale,
                                      const WriteContext& context) const {
    scale_manager(context, clock().now()).update(owned_scale_of(kind, object), scale);
    TRY(apply_scale(kind, object, scale));
    owners_from_scale(scale, api_version_of(kind), replica_steps(kind), object);
    // A uid in the Scale is a precondition like one in the object itself.
    if (const std::string uid(uid_of(scale)); !uid.empty()) object["metadata"]["uid"] = uid;
    return true;
}

ApiResult<bool> Registry::apply_scale_configuration(const KindSpec& kind, Json& object, Json patch,
                                                    bool force, const WriteContext& context) const {
    TRY_ASSIGN(const Json scale,
               scale_manager(context, clock().now()).apply(owned_scale_of(kind, object), std::move(patch), force));
    TRY(apply_scale(kind, object, scale));
    owners_from_scale(scale, api_version_of(kind), replica_steps(kind), object);
    return true;
}

}  // namespace kubemu::api
