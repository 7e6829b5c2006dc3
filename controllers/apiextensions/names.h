// Which of a definition's names are its own: the first to ask for a name in a group gets it.
#pragma once

#include <string>
#include <vector>

#include "api/values/object.h"

namespace kubemu::controllers {

struct NamingOutcome {
    bool all_accepted = true;
    std::string reason = "NoConflicts", message = "no conflicts found";
};

// `others`: the status.acceptedNames of the other definitions of the group; `accepted` becomes that of this one.
NamingOutcome accept_names(const api::Json& definition, const std::vector<api::Json>& others, api::Json& accepted);

}  // namespace kubemu::controllers
