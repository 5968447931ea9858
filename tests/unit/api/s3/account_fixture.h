// Requests of two accounts beside the first one.
#pragma once
#include "auth/access/acl.h"
#include "storage/base/async.h"
#include "tests/unit/api/s3/s3_fixture.h"

namespace outcrop::s3::test {

class TwoAccounts final : public auth::Accounts {
 public:
  std::vector<auth::AccountName> all;
  std::optional<auth::AccountName> find_canonical(std::string_view id) const override {
    return find([&](const auth::AccountName& a) { return a.canonical_id == id; });
  }
  std::optional<auth::AccountName> find_email(std::string_view email) const override {
    return find([&](const auth::AccountName& a) { return a.email == email; });
  }
  std::expected<std::string, std::string> with_ids(std::string_view policy) const override {
    return std::string(policy);
  }
  std::string with_arns(std::string_view policy) const override { return std::string(policy); }

 private:
  template <class Test>
  std::optional<auth::AccountName> find(Test test) const {
    for (const auth::AccountName& a : all) {
      if (test(a)) {
        return a;
      }
    }
    return std::nullopt;
  }
};

/// "lab" and "shop" are the root users of accounts of those names; nothing is blocked, and new
/// buckets belong to nobody's controls.
class Accounts : public S3Test {
 protected:
  Accounts() {
    add("lab", "111111111111", 'a');
    add("shop", "222222222222", 'b');
    access = run_sync(access::AccessTable::open(meta, {}, policy::PublicAccessBlock{})).value();
    config.access = access.get();
    config.accounts = &accounts;
    config.object_ownership = access::Ownership::writer;
    handler = new_handler();
  }
  void add(const std::string& name, const std::string& id, char digit) {
    accounts.all.push_back({id, std::string(64, digit), name, name + "@example.com"});
    auto root = std::make_shared<auth::Identity>();
    root->kind = policy::Subject::Kind::root;
    root->account = id;
    root->canonical_id = std::string(64, digit);
    root->arn = "arn:aws:iam::" + id + ":root";
    root->user_id = id;
    callers[name] = root;
  }
  static Headers as(const std::string& who, Headers more = {}) {
    more.push_back(who.empty() ? http::Header{"x-test-anonymous", "1"}
                               : http::Header{"x-test-user", who});
    return more;
  }
  int status(const std::string& method,
             const std::string& target,
             const std::string& who,
             Headers more = {},
             const std::string& body = {}) {
    return send(method, target, as(who, std::move(more)), {body}).status;
  }
  std::vector<std::string> grants(const std::string& target, const std::string& who) {
    const std::string xml = send("GET", target, as(who)).body;
    const auto ids = texts(xml, "ID");
    std::vector<std::string> out{ids.empty() ? text(xml, "Code") : ids.front().substr(0, 1)};
    for (std::size_t at = xml.find("<Grant>"); at != xml.npos; at = xml.find("<Grant>", at + 1)) {
      const std::string one = xml.substr(at, xml.find("</Grant>", at) - at);
      const auto group = texts(one, "URI");
      out.push_back((group.empty() ? text(one, "ID").substr(0, 1)
                                   : group.front().substr(group.front().rfind('/') + 1)) +
                    ":" + text(one, "Permission"));
    }
    return out;
  }
  using Names = std::vector<std::string>;

  TwoAccounts accounts;
};

}  // namespace outcrop::s3::test
