// The file that an AuditLog writes to (kube-apiserver's --audit-log-path).
#pragma once

#include <functional>
#include <string>

#include "storage/base/result.h"

namespace kubemu::server {

// Appends each line whole to the file, which is made when it is missing; "-" is standard output. The error is a sentence
// for the terminal. What the function is given later and cannot be written is lost.
Result<std::function<void(std::string)>, std::string> open_audit_file(const std::string& path);

}  // namespace kubemu::server
