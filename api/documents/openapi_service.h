// /openapi/v2 and /openapi/v3 as HTTP answers: media types, entity tags, hashed URLs that never change
// (k8s.io/kube-openapi, pkg/handler and pkg/handler3).
#pragma once

#include <memory>
#include <string_view>

#include "api/documents/openapi.h"
#include "api/request.h"

namespace kubemu::api {

// Makes documents when they are first asked for and keeps them until the kinds change. Thread-safe.
class OpenApiService {
  public:
    OpenApiService();
    ~OpenApiService();

    // `path` begins with /openapi; `hash` is the query's; `now` becomes Last-Modified of what is made.
    // 404 for paths that are no documents, 406 for media types that there are not.
    Response answer(const Request& request, std::string_view path, std::string_view hash, const OpenApiSource& source,
                    Time now);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace kubemu::api
