// Result<T, E>: a value or the error that explains its absence, which the caller must look at.
//
// Errors that a client, a file or the disk can cause travel as values; exceptions are left to bugs and to
// memory exhaustion. The macros return early with the error:
//
//     TRY_ASSIGN(const Json object, decode(body));   // return the error, or bind the value
//     TRY(validate(object));                         // return the error, or go on
#pragma once

#include <tl/expected.hpp>
#include <type_traits>
#include <utility>

namespace kubemu {

template <class T, class E>
class [[nodiscard]] Result : public tl::expected<T, E> {
    static_assert(!std::is_same_v<T, E>, "a value that is an error could not be told from its value");

  public:
    using tl::expected<T, E>::expected;
    Result(E error) : tl::expected<T, E>(tl::unexpect, std::move(error)) {}
};

}  // namespace kubemu

#define KUBEMU_CONCAT_(a, b) a##b
#define KUBEMU_CONCAT(a, b) KUBEMU_CONCAT_(a, b)

#define TRY_IMPL_(name, declaration, expression)            \
    auto name = (expression);                               \
    if (!name) return std::move(name).error();              \
    declaration = std::move(*name)

// Binds the value of a Result to `declaration`, or returns its error from the enclosing function.
#define TRY_ASSIGN(declaration, ...) TRY_IMPL_(KUBEMU_CONCAT(result_, __LINE__), declaration, (__VA_ARGS__))

// Evaluates a Result for its error only.
#define TRY(...)                                                        \
    do {                                                                \
        if (auto result_ = (__VA_ARGS__); !result_) return std::move(result_).error(); \
    } while (0)
