// Which tokens are marked, and which go.
#include "controllers/legacy_token_cleaner/controller.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/authentication/service_account_tokens.h"
#include "api/values/time.h"
#include "controllers/legacy_token_cleaner/secret_names.h"
#include "storage/base/log.h"
#include "storage/base/text_search.h"

namespace kubemu::controllers {
namespace {

using api::Json;

constexpr Duration unused_time = std::chrono::hours(24 * 365);  // --legacy-service-account-token-clean-up-period
constexpr Duration look_period = std::chrono::hours(24);
constexpr std::size_t date_characters = 10;  // 2006-01-02

std::string date_of(Time time) { return api::format_time(time).substr(0, date_characters); }

std::optional<Time> midnight_of(const std::string& date) {
    return date.size() == date_characters ? api::parse_time(date + "T00:00:00Z") : std::nullopt;
}

}  // namespace

LegacyTokenCleanerController::LegacyTokenCleanerController(Manager& manager)
    : Controller(manager, "legacy-serviceaccount-token-cleaner", "legacy-service-account-token-cleaner"),
      secrets_(manager.informer("secrets")),
      accounts_(manager.informer("serviceaccounts")),
      pods_(manager.informer("pods")) {}

void LegacyTokenCleanerController::start() { look(); }

api::ApiResult<Requeue> LegacyTokenCleanerController::reconcile(const std::string&) { return Requeue{}; }

void LegacyTokenCleanerController::look() {
    manager().set_timer(this, "look", now() + look_period, [this] { look(); });
    if (!tracked_long_enough()) return;
    for (const auto& secret : secrets_.list()) {
        const api::ObjectView& view = api::view_of(*secret);
        if (view.fields.find("type") != "kubernetes.io/service-account-token") continue;
        if (view.created < now() - unused_time && !view.deleting) judge(*secret, now() - unused_time);
    }
}

bool LegacyTokenCleanerController::tracked_long_enough() {
    const auto tracking = client().get(kind("configmaps"), "kube-system", api::token_tracking_config);
    if (!tracking) return false;
    const auto since = midnight_of(std::string(api::string_at(client().document(**tracking), {"data", "since"})));
    // From the midnight after that day on.
    return since && now() >= *since + std::chrono::hours(24) + unused_time;
}

// Whether it was made for an account rather than by hand.
bool LegacyTokenCleanerController::generated(const Json& secret, std::string_view namespace_name) {
    const auto noted = [&](const char* name) { return api::string_at(secret, {"metadata", "annotations", name}); };
    const auto account = accounts_.get(std::string(namespace_name), std::string(noted("kubernetes.io/service-account.name")));
    if (!account) return false;
    const std::string_view uid = noted("kubernetes.io/service-account.uid");
    if (!uid.empty() && uid != api::view_of(*account).uid) return false;
    const Json document = client().document(*account);
    const Json& references = api::array_at(document, {"secrets"});
    return std::any_of(references.begin(), references.end(), [&](const Json& reference) {
        return api::string_at(reference, {"name"}) == api::name_of(secret);
    });
}

bool LegacyTokenCleanerController::in_use(std::string_view namespace_name, std::string_view secret_name) {
    const auto pods = pods_.list(std::string(namespace_name));
    return std::any_of(pods.begin(), pods.end(), [&](const storage::RecordPtr& pod) {
        return contains_text(*pod->bytes.get(), secret_name) && pod_names_secret(client().document(*pod), secret_name);
    });
}

void LegacyTokenCleanerController::judge(const storage::Record& secret, Time unused_since) {
    const api::ObjectView& view = api::view_of(secret);
    const std::string kept_from = date_of(unused_since);
    if (const std::string* last_used = view.label(api::token_last_used_label)) {
        if (!midnight_of(*last_used) || *last_used >= kept_from) return;
    }
    if (!generated(client().document(secret), view.namespace_name) || in_use(view.namespace_name, view.name)) return;
    const std::string* invalid_since = view.label(api::token_invalid_since_label);
    if (invalid_since == nullptr || !midnight_of(*invalid_since)) {
        const auto marked = client().modify(kind("secrets"), view.namespace_name, view.name, {}, [&](Json& object) {
            if (api::uid_of(object) != view.uid) return false;
            api::ensure(object, {"metadata", "labels"})[api::token_invalid_since_label] = date_of(now());
            return true;
        });
        if (!marked) log_line(LogLevel::info, "a token could not be marked", {{"error", marked.error()->message}});
        return;
    }
    if (*invalid_since >= kept_from) return;
    api::DeleteOptions options;
    options.precondition_revision = std::to_string(secret.revision);
    const auto removed = client().remove(kind("secrets"), view.namespace_name, view.name, options);
    if (!removed && removed.error().code() != 404 && removed.error().code() != 409) {
        log_line(LogLevel::info, "an unused token could not be deleted", {{"error", removed.error()->message}});
    }
}

}  // namespace kubemu::controllers
