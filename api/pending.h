// Writes whose answers wait until what they speak of is on disk.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "api/exchange.h"
#include "storage/store.h"

namespace kubemu::api {

// Runs a write whose answer is the record it made. What is durable before the write call has returned must
// wait for the result, so both meet here.
class Pending {
  public:
    using Answer = std::function<void(Exchange&, const Written&)>;
    Pending(ExchangePtr exchange, Answer answer)
        : exchange_(std::move(exchange)), answer_(std::move(answer)) {}

    static storage::Completion completion(const std::shared_ptr<Pending>& self);
    static void result(const std::shared_ptr<Pending>& self, Written written);

  private:
    // The second of the two to arrive answers.
    void arrive();

    ExchangePtr exchange_;
    Answer answer_;
    std::atomic<int> arrived_{0};
    std::optional<Written> written_;
    std::optional<storage::Error> failure_;
};

// Calls `answer` when the records can be shown in the version that was asked for, or answers with why they cannot be.
void when_readable(const ExchangePtr& exchange, std::vector<storage::RecordPtr> records, std::function<void()> answer);

// The namespace that a write is in; empty for kinds that are in none.
std::string_view write_scope(const Exchange& exchange);

// 400 when an object that was sent names another namespace than the URL.
ApiResult<bool> check_namespace(const Exchange& exchange, const Json& object);
// 400 when an object that was sent names another object, or another namespace, than the URL.
ApiResult<bool> check_names(const Exchange& exchange, const Json& object);
// For an object without a name, which says nothing of what it means to be.
Status name_undeterminable(std::string_view name);

// Updates what the URL names and answers with the object or, for the subresource scale, with its Scale.
ApiResult<bool> answer_update(const ExchangePtr& exchange, const Registry::Change& change,
                              WriteContext context);

}  // namespace kubemu::api
