// Who somebody is, told to themselves or to those who hold their token.
#include "api/authentication/identity_reviews.h"

#include <nlohmann/json.hpp>

#include "api/values/time.h"

namespace kubemu::api {
namespace {

Json user_info(const User& user) {
    Json info = {{"username", user.name}};
    if (!user.uid.empty()) info["uid"] = user.uid;
    if (!user.groups.empty()) info["groups"] = user.groups;
    if (!user.extra.empty()) info["extra"] = user.extra;
    return info;
}

}  // namespace

ApiResult<Json> answer_identity_review(const TokenAuthenticator& authenticator, const User& user, std::string_view kind,
                                       Time now, Json review, const Judge& judge) {
    if (kind == "SelfSubjectReview") {
        if (judge) TRY(judge(review));
        Json answer;
        answer["metadata"]["creationTimestamp"] = format_time(now);
        answer["status"]["userInfo"] = user_info(user);
        return answer;
    }
    const std::string_view token = string_at(review, {"spec", "token"});
    if (token.empty()) return Status::bad_request("token is required for TokenReview in authentication");
    if (judge) TRY(judge(review));
    std::vector<std::string> audiences;
    for (const Json& audience : array_at(review, {"spec", "audiences"})) audiences.push_back(audience.get<std::string>());
    const auto holder = authenticator.authenticate(token, audiences);
    Json status = {{"user", Json::object()}};
    if (holder) {
        status = {{"authenticated", true}, {"user", user_info(holder->user)}, {"audiences", holder->audiences}};
    } else {
        status["error"] = holder.error();
    }
    review["status"] = std::move(status);
    return review;
}

}  // namespace kubemu::api
