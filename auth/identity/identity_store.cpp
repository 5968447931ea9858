#include "auth/identity/identity_store.h"

#include <array>

#include "auth/identity/draft.h"
#include "auth/identity/names.h"
#include "auth/identity/session.h"
#include "storage/base/log.h"
#include "storage/meta/tables.h"

namespace outcrop::identity {
namespace {

constexpr std::string_view kCheckText = "the key of this store";
constexpr std::string_view kCheckName = "check";
constexpr std::size_t kPage = 500;
constexpr std::size_t kSessionSlots = 64;  ///< opened tokens that a thread remembers

std::uint64_t next_serial() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

}  // namespace

IdentityStore::IdentityStore(Needs needs, SealKey seal_key, auth::Credential root)
    : x_needs(needs), x_seal_key(seal_key), x_root(std::move(root)), x_serial(next_serial()) {}

Task<bool> IdentityStore::is_set_up(meta::MetaStore& meta) {
  const std::string key = seal_check_key();
  CO_TRY(const auto check, co_await meta.get(key));
  co_return check.has_value();
}

Task<std::unique_ptr<IdentityStore>> IdentityStore::open(Needs needs,
                                                         SealKey seal_key,
                                                         auth::Credential root) {
  const std::string key = seal_check_key();
  CO_TRY(const auto check, co_await needs.meta.get(key));
  bool check_stored = true;
  if (!check) {
    meta::Batch batch;
    batch.put(key, seal(seal_key, kCheckName, kCheckText, needs.random));
    auto stored = co_await needs.meta.commit(std::move(batch));
    // A store that is read-only for now opens all the same: the first change brings the record.
    if (!stored && stored.error().code() != Errc::read_only) {
      co_return fail(stored.error());
    }
    check_stored = stored.has_value();
  } else if (!unseal(seal_key, kCheckName, *check)) {
    co_return fail(Errc::config,
                   "auth.key_file is not the key that the secrets of this store were sealed with; "
                   "put the file of the first start back");
  }
  std::unique_ptr<IdentityStore> out(new IdentityStore(needs, seal_key, std::move(root)));
  out->x_check_stored = check_stored;
  CO_TRYV(co_await out->load());
  co_return out;
}

/// Two passes: inline policies need the entities they belong to.
Task<> IdentityStore::load() {
  auto state = std::make_shared<State>();
  for (const Provider& provider : x_needs.providers) {
    state->providers.emplace(provider.name(), std::make_shared<const Provider>(provider));
  }
  std::vector<meta::KeyValue> later;
  const meta::SnapshotPtr at = x_needs.meta.snapshot();
  const std::string all = meta::table_key(meta::Table::identity);
  const std::string inline_prefix = inline_key(EntityKind::user, {}, {}).substr(0, 2);
  const auto take = [&](const meta::KeyValue& record) {
    const Result<void> loaded = load_record(record.key, record.value, x_seal_key, *state);
    if (!loaded) {
      log::error("an identity record cannot be read: what depends on it is denied",
                 {{"record", record.key.substr(1)}, {"error", loaded.error().describe()}});
    }
  };
  meta::ScanRequest request{.lower = all, .upper = meta::prefix_end(all), .limit = kPage};
  for (bool more = true; more;) {
    CO_TRY(meta::ScanPage page, co_await x_needs.meta.scan(request, at));
    for (meta::KeyValue& record : page.entries) {
      request.lower = record.key + '\0';
      if (record.key.starts_with(inline_prefix)) {
        later.push_back(std::move(record));
      } else {
        take(record);
      }
    }
    more = page.more && !page.entries.empty();
  }
  std::ranges::for_each(later, take);
  state->finish();
  publish(std::move(state));
  co_return ok();
}

void IdentityStore::publish(StatePtr next) {
  const std::lock_guard lock(x_mutex);
  x_state = std::move(next);
  x_version.fetch_add(1, std::memory_order_release);
}

const IdentityStore::Seen& IdentityStore::look() const {
  thread_local Seen seen;
  const std::uint64_t version = x_version.load(std::memory_order_acquire);
  if (seen.serial != x_serial || seen.version != version) {
    const std::lock_guard lock(x_mutex);
    seen = {x_serial, x_version.load(std::memory_order_relaxed), x_state};
  }
  return seen;
}

StatePtr IdentityStore::state() const { return look().state; }

std::optional<auth::Credential> IdentityStore::find(std::string_view access_key) const {
  if (access_key == x_root.access_key) {
    auth::Credential root = x_root;
    root.identity = state()->root;
    return root;
  }
  const StatePtr now = state();
  const auto identity = now->identities.find(access_key);
  if (identity == now->identities.end()) {
    return std::nullopt;
  }
  const AccessKey& key = *now->keys.find(access_key)->second;
  return auth::Credential{.access_key = key.id,
                          .secret_key = key.secret,
                          .root = false,
                          .identity = identity->second,
                          .use = key.use.get()};
}

std::optional<auth::Credential> IdentityStore::find_session(std::string_view access_key,
                                                            std::string_view token) const {
  struct Slot {
    std::uint64_t serial = 0;
    std::uint64_t version = 0;  ///< of the state it was found in; another one needs another look
    std::string token;
    std::optional<auth::Credential> credential;
    std::int64_t expires_ns = 0;
  };
  thread_local std::array<Slot, kSessionSlots> slots;
  Slot& slot = slots[std::hash<std::string_view>{}(access_key) % slots.size()];
  const Seen& now = look();
  const bool hit = slot.serial == x_serial && slot.version == now.version && slot.credential &&
                   slot.credential->access_key == access_key && slot.token == token;
  if (!hit) {
    const auto session = open_session(x_seal_key, access_key, token);
    auth::IdentityPtr identity =
        session ? identity_of_session(*now.state, *session, x_root.access_key) : nullptr;
    if (!identity) {
      return std::nullopt;
    }
    slot = {x_serial, now.version, std::string(token),
            auth::Credential{.access_key = std::string(access_key),
                             .secret_key = session->secret,
                             .root = false,
                             .identity = std::move(identity)},
            session->expires_ns};
  }
  auth::Credential out = *slot.credential;
  out.expired = x_needs.clock.wall_ns() >= slot.expires_ns;
  return out;
}

Checked<IdentityStore::Temporary> IdentityStore::issue(const auth::Identity& who,
                                                       std::string_view access_key,
                                                       const Entity* role,
                                                       RoleSession session,
                                                       std::int64_t seconds) {
  Session s;
  s.access_key = new_id("ASIA", x_needs.random);
  s.secret = new_secret(x_needs.random);
  s.issuer_key = who.temporary ? who.issuer_key : std::string(access_key);
  s.user = who.temporary ? who.issuer_user : who.user_name;
  if (role != nullptr) {
    s.role = role->name;
    s.role_id = role->id;
  }
  s.name = std::move(session.name);
  s.policy = std::move(session.policy);
  s.managed = std::move(session.managed);
  s.tags = std::move(session.tags);
  s.federation = who.federation;
  s.issued_ns = x_needs.clock.wall_ns();
  s.expires_ns = s.issued_ns + seconds * 1'000'000'000;
  std::string token = seal_session(x_seal_key, s, x_needs.random);
  if (token.size() > kMaxTokenBytes) {
    return refuse(IamCode::packed_too_large,
                  "Packed policy consumes " + std::to_string(100 * token.size() / kMaxTokenBytes) +
                      "% of allotted space, please use smaller policy or tags.");
  }
  return Temporary{s.access_key, s.secret, std::move(token), s.expires_ns};
}

Task<> IdentityStore::note_seal_key() {
  if (x_check_stored.load(std::memory_order_acquire)) {
    co_return ok();
  }
  const AsyncMutex::Held held = co_await x_changing.acquire();
  if (!x_check_stored) {
    meta::Batch batch;
    batch.put(seal_check_key(), seal(x_seal_key, kCheckName, kCheckText, x_needs.random));
    CO_TRYV(co_await x_needs.meta.commit(std::move(batch)));
    x_check_stored = true;
  }
  co_return ok();
}

Change<> IdentityStore::change(const Edit& edit) {
  const AsyncMutex::Held held = co_await x_changing.acquire();
  Draft draft{.next = *state(),
              .batch = {},
              .seal_key = x_seal_key,
              .random = x_needs.random,
              .now_ns = x_needs.clock.wall_ns()};
  if (Checked<> edited = edit(draft); !edited) {
    co_return edited;
  }
  if (draft.batch.mutations.empty()) {
    co_return Checked<>{};
  }
  auto next = std::make_shared<State>(std::move(draft.next));
  next->finish();
  if (!x_check_stored) {
    draft.batch.put(seal_check_key(), seal(x_seal_key, kCheckName, kCheckText, x_needs.random));
  }
  const Result<void> stored = co_await x_needs.meta.commit(std::move(draft.batch));
  if (!stored) {
    log::warn("identities not changed", {{"error", stored.error().describe()}});
    co_return refuse(IamCode::unavailable, stored.error().describe());
  }
  x_check_stored = true;
  publish(std::move(next));
  if (x_hook) {
    x_hook();
  }
  co_return Checked<>{};
}

}  // namespace outcrop::identity
