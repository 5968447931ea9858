#include "auth/policy/principal.h"

#include <algorithm>

#include "auth/policy/pattern.h"

namespace outcrop::policy {
namespace {

constexpr std::size_t kMaxName = 2048, kMaxAccount = 128, kIdChars = 20;

bool plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("+=,.@_-/").contains(c);
  });
}

bool is_account_id(std::string_view text) {
  return text.size() == 12 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

bool is_principal_id(std::string_view text) {
  return (text.starts_with("AIDA") || text.starts_with("AROA")) && text.size() == kIdChars &&
         std::ranges::all_of(
             text, [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); });
}

bool PrincipalSet::add_aws(std::string_view name) {
  if (name == "*") {
    add_everyone();
    return true;
  }
  if (is_account_id(name)) {
    x_names.push_back({Kind::account, std::string(name)});
    return true;
  }
  if (is_principal_id(name)) {
    x_names.push_back({Kind::id, std::string(name)});
    return true;
  }
  ArnParts arn;
  if (name.size() > kMaxName || !split_arn(name, arn)) {
    return false;
  }
  const auto [partition, service, region, account, resource] = arn.part;
  const bool iam = service == "iam" &&
                   (resource == "root" || (resource.starts_with("user/") && resource.size() > 5) ||
                    (resource.starts_with("role/") && resource.size() > 5));
  const bool session = service == "sts" && resource.starts_with("assumed-role/");
  if (partition != "aws" || !region.empty() || account.size() > kMaxAccount || !plain(account) ||
      !plain(resource) || (!iam && !session)) {
    return false;
  }
  const std::string_view owner = account.empty() ? kAccount : account;
  if (resource == "root") {
    x_names.push_back({Kind::account, std::string(owner)});
    return true;
  }
  std::string text = "arn:aws:";
  text.append(service).append("::").append(owner).append(":").append(resource);
  x_names.push_back({Kind::arn, std::move(text)});
  return true;
}

bool PrincipalSet::add_federated(std::string_view name) {
  constexpr std::string_view kProvider = "oidc-provider/";
  ArnParts arn;
  if (name.empty() || name.size() > kMaxName || name.contains('*') || name.contains('?')) {
    return false;
  }
  if (!split_arn(name, arn) || !arn.part[4].starts_with(kProvider)) {
    add_foreign(name);
    return true;
  }
  const auto [partition, service, region, account, resource] = arn.part;
  if (partition != "aws" || service != "iam" || !region.empty() ||
      (!account.empty() && !is_account_id(account)) || resource.size() == kProvider.size()) {
    return false;
  }
  std::string text = "arn:aws:iam::";
  text.append(account.empty() ? kAccount : account).append(":").append(resource);
  x_names.push_back({Kind::federated, std::move(text)});
  return true;
}

bool PrincipalSet::contains(const Subject& subject, bool wide) const {
  const bool federated = subject.kind == Subject::Kind::web_identity;
  if (x_everyone && (wide || !federated)) {
    return true;
  }
  if (subject.kind == Subject::Kind::anonymous) {
    return false;
  }
  const bool for_account = wide || subject.kind == Subject::Kind::root;
  return std::ranges::any_of(x_names, [&](const Name& n) {
    switch (n.kind) {
      case Kind::account:
        return for_account && n.text == subject.account;
      case Kind::canonical:
        return for_account && n.text == subject.canonical_id;
      case Kind::arn:
        return !federated && (n.text == subject.arn || n.text == subject.role_arn);
      case Kind::id:
        return !federated && n.text == subject.id;
      case Kind::federated:
        return federated && n.text == subject.arn;
      case Kind::foreign:
        break;
    }
    return false;
  });
}

bool PrincipalSet::names(const Subject& subject) const {
  const bool user = subject.kind == Subject::Kind::user;
  if (!user && subject.kind != Subject::Kind::role_session) {
    return false;
  }
  return std::ranges::any_of(x_names, [&](const Name& n) {
    return (n.kind == Kind::arn && n.text == subject.arn) ||
           (user && n.kind == Kind::id && n.text == subject.id);
  });
}

}  // namespace outcrop::policy
