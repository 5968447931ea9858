// Clients: made, confirmed, replaced and ended by EXCHANGE_ID and CREATE_SESSION (RFC 8881 18.35,
// 18.36) or SETCLIENTID and its confirmation (RFC 7530 16.33, 16.34). Private to this folder.
#pragma once
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "api/nfs/v4state/file_table.h"
#include "api/nfs/v4state/recovery.h"
#include "api/nfs/v4state/session_table.h"

namespace outcrop::nfs {

/// The upper 16 bits of the client ids of one run of the server.
inline std::uint64_t boot_bits(std::uint64_t boot_id) {
  return (boot_id * 0x9e37'79b9'7f4a'7c15 ^ 0xa5c3) & 0xffff;
}

class ClientTable {
 public:
  ClientTable(const StateConfig& config,
              const Clock& clock,
              Random& random,
              FileTable& files,
              SessionTable& sessions,
              Recovery& recovery)
      : x_config(config),
        x_clock(clock),
        x_random(random),
        x_files(files),
        x_sessions(sessions),
        x_recovery(recovery) {}
  ~ClientTable();

  Outcome<ExchangeIdResult> exchange_id(const ExchangeIdArgs& args, const Principal& caller);
  Outcome<CreateSessionResult> create_session(const CreateSessionArgs& args,
                                              const Principal& caller,
                                              std::uint64_t connection);
  Status destroy_session(const SessionId& session,
                         const Principal& caller,
                         std::uint64_t connection);
  Status destroy_client(ClientId client, const Principal& caller);

  Outcome<SetClientIdResult> set_client_id(const SetClientIdArgs& args, const Principal& caller);
  Status confirm_client_id(ClientId client, const Verifier& confirm, const Principal& caller);
  Outcome<ClientRef> find_v40(ClientId client);  ///< confirmed, of 4.0; renewed

  /// Lets go of unconfirmed clients after a lease, of others after the courtesy; with `evict` also
  /// of expired ones, the longest expired first.
  void tick(bool evict);
  std::pair<std::size_t, std::size_t> counts() const;  ///< confirmed, unconfirmed

 private:
  struct Entry {
    ClientRef confirmed, unconfirmed;
    /// 4.0: a confirmed client wants other callbacks, once it proves that it heard `confirm`.
    struct Update {
      Callback callback;
      Verifier confirm;
    };
    std::optional<Update> update;
  };
  using Key = std::pair<bool, std::string>;
  /// Clients taken off the table; ended when its mutex is free again.
  using EndedList = std::vector<ClientRef>;

  Entry& entry(bool sessions, std::string_view owner) {
    return x_entries[{sessions, std::string(owner)}];
  }
  ClientRef make_unconfirmed(bool sessions,
                             std::string_view owner,
                             const Verifier& verifier,
                             const Principal& caller,
                             EndedList& ended);
  ClientId fresh_id();
  /// Null if there is none, or it was not confirmed within a lease.
  ClientRef lookup(ClientId id, bool sessions, EndedList& ended);
  /// `heir`: the next incarnation, which the recovery record stands for from now on.
  void remove(ClientRef client, Client* heir, EndedList& ended);
  /// Makes it the client of its owner; the one before ends. False: too many clients.
  bool confirm(const ClientRef& client, EndedList& ended);
  bool evict_one(EndedList& ended);
  Outcome<CreateSessionResult> confirm_and_create(const ClientRef& client,
                                                  const CreateSessionArgs& args,
                                                  CreateSessionResult granted,
                                                  const Principal& caller,
                                                  std::uint64_t connection,
                                                  EndedList& ended);
  void end(const EndedList& ended);
  bool busy(Client& client) const;  ///< has sessions or state
  Verifier random_verifier();

  const StateConfig& x_config;
  const Clock& x_clock;
  Random& x_random;
  FileTable& x_files;
  SessionTable& x_sessions;
  Recovery& x_recovery;

  mutable std::mutex x_mutex;
  std::unordered_map<ClientId, ClientRef> x_clients;
  std::map<Key, Entry> x_entries;
  std::list<ClientRef> x_unconfirmed;  ///< oldest first
  std::size_t x_confirmed = 0;
};

}  // namespace outcrop::nfs
