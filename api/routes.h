// Routes: which action a method and a path stand for, and what is said when there is none.
//
// Built-in kinds are served by github.com/emicklei/go-restful routes, whose refusals know nothing of resources; custom
// kinds by one handler for all of them (k8s.io/apiextensions-apiserver/pkg/apiserver/customresource_handler.go).
#pragma once

#include "api/exchange.h"

namespace kubemu::api {

enum class Action { get, list, watch, create, update, patch, remove, remove_collection, log };

// Errors: 404, 405, 406 and 415.
ApiResult<Action> route(const Exchange& exchange);

// The media types of patches that a kind accepts, as 415 lists them.
std::string_view patch_types(const KindSpec& kind);

}  // namespace kubemu::api
