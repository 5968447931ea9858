// The names in the Principal elements of a document, exchanged one for one; nothing else of its
// text changes. So a document is kept with the ids of users and roles, as on AWS: it goes on
// meaning them when they are renamed, and nobody who has their name later. Pure.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace outcrop::policy {

/// `document` compiles as a policy. `other` has what stands for a name of type AWS, or nothing if
/// the name stays.
std::string exchange_principals(
    std::string_view document,
    const std::function<std::optional<std::string>(std::string_view name)>& other);

}  // namespace outcrop::policy
