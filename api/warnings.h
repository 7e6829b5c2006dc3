// Warnings: what a request was told beside its answer, as Warning headers (RFC 7234, code 299).
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace kubemu::api {

// Each text once, in order: `299 - "text"`. What a header cannot hold (control characters, bad UTF-8) is left out; more
// than 4096 characters in all are cut to 256 each (k8s.io/apiserver/pkg/endpoints/filters/warning.go).
std::vector<std::pair<std::string, std::string>> warning_headers(const std::vector<std::string>& warnings);

}  // namespace kubemu::api
