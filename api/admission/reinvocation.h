// Reinvocation: the second run of the mutating plugins, and who is asked again in it
// (k8s.io/apiserver/pkg/admission/reinvocation.go, plugin/webhook/mutating/reinvocationcontext.go).
//
// When something that could be asked before has changed the object since, all plugins of the server run once more, and
// those webhooks and policies whose reinvocationPolicy is IfNeeded and that were asked before the last change.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "api/values/object.h"

namespace kubemu::api {

// Of webhooks, or of policies.
class ReinvocationList {
  public:
    // It was asked, and wants to be asked again after later changes.
    void remember(const std::string& who) { asked_.insert(who); }
    // The object has changed.
    void changed() {
        again_.insert(asked_.begin(), asked_.end());
        asked_.clear();
    }
    bool wanted(const std::string& who) const { return again_.contains(who); }

    std::shared_ptr<const Json> last_output;  // the object as the plugin left it

  private:
    std::set<std::string> asked_, again_;
};

struct Reinvocation {
    bool running = false;  // this is the second run
    bool needed = false;
    ReinvocationList webhooks, policies;
};

}  // namespace kubemu::api
