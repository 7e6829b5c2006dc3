// Legacy service account token cleaner: tokens that were once made for every service account and that nobody has used for
// a year (https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#legacy-serviceaccount-token-cleaner,
// pkg/controller/serviceaccount/legacy_serviceaccount_token_cleaner.go).
//
// Once a day. Such a Secret is first marked invalid, by a label with the date, and is not good for anything from then on;
// a year later it goes. Secrets that somebody made by hand, which no service account lists, stay.
#pragma once

#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

class LegacyTokenCleanerController final : public Controller {
  public:
    explicit LegacyTokenCleanerController(Manager& manager);
    void start() override;
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    void look();
    // Not before a year of tracking has shown who uses what.
    bool tracked_long_enough();
    void judge(const storage::Record& secret, Time unused_since);
    bool generated(const api::Json& secret, std::string_view namespace_name);
    bool in_use(std::string_view namespace_name, std::string_view secret_name);

    api::Informer& secrets_;
    api::Informer& accounts_;
    api::Informer& pods_;
};

}  // namespace kubemu::controllers
