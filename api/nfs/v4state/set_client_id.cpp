// SETCLIENTID and SETCLIENTID_CONFIRM of 4.0 (RFC 7530 16.33, 16.34).
#include "api/nfs/v4state/client_table.h"

namespace outcrop::nfs {

namespace {
constexpr std::size_t kMaxNetidBytes = 64, kMaxAddressBytes = 256;
}

Outcome<SetClientIdResult> ClientTable::set_client_id(const SetClientIdArgs& args,
                                                      const Principal& caller) {
  if (args.owner.empty() || args.owner.size() > kMaxOwnerBytes ||
      args.callback.netid.size() > kMaxNetidBytes ||
      args.callback.address.size() > kMaxAddressBytes) {
    return refuse(Status::inval);
  }
  EndedList ended;
  Outcome<SetClientIdResult> out;
  {
    const std::lock_guard lock(x_mutex);
    const auto it = x_entries.find({false, std::string(args.owner)});
    const ClientRef known = it == x_entries.end() ? nullptr : it->second.confirmed;
    const bool foreign = known && known->principal != caller;
    if (foreign && known->has_state() && !known->expired(x_clock.steady_ns(), x_config.lease_ns)) {
      out = refuse(Status::clid_inuse);
    } else if (known && !foreign && known->verifier == args.verifier) {
      // Probably other callbacks of the same incarnation: it keeps its id and its state.
      if (it->second.unconfirmed) {
        remove(it->second.unconfirmed, nullptr, ended);
      }
      it->second.update = Entry::Update{args.callback, random_verifier()};
      out = SetClientIdResult{known->id, it->second.update->confirm};
    } else {
      const ClientRef client = make_unconfirmed(false, args.owner, args.verifier, caller, ended);
      client->callback = args.callback;
      client->confirm = random_verifier();
      out = SetClientIdResult{client->id, client->confirm};
    }
  }
  end(ended);
  return out;
}

Status ClientTable::confirm_client_id(ClientId id,
                                      const Verifier& verifier,
                                      const Principal& caller) {
  EndedList ended;
  ClientRef updated;
  const Status status = [&] {
    const std::lock_guard lock(x_mutex);
    const ClientRef client = lookup(id, false, ended);
    if (!client) {
      return Status::stale_clientid;
    }
    Entry& place = entry(false, client->owner);
    const bool update = client->confirmed && place.update && place.update->confirm == verifier;
    if (!update && client->confirm != verifier) {
      return Status::stale_clientid;
    }
    if (client->principal != caller) {
      return Status::clid_inuse;
    }
    if (update) {
      client->callback = place.update->callback;
      client->confirm = verifier;
      place.update.reset();
      updated = client;
    } else if (!client->confirmed) {
      const ClientRef& before = place.confirmed;
      if (before && before->principal != caller && before->has_state() &&
          !before->expired(x_clock.steady_ns(), x_config.lease_ns)) {
        return Status::clid_inuse;  // it got state since SETCLIENTID
      }
      if (!confirm(client, ended)) {
        return Status::resource;
      }
    }
    client->renew(x_clock.steady_ns());
    return Status::ok;
  }();
  if (updated) {
    x_files.forget_revoked(*updated);
  }
  end(ended);
  return status;
}

Outcome<ClientRef> ClientTable::find_v40(ClientId id) {
  EndedList ended;
  Outcome<ClientRef> out;
  {
    const std::lock_guard lock(x_mutex);
    const ClientRef client = lookup(id, false, ended);
    if (client && client->confirmed) {
      client->renew(x_clock.steady_ns());
      out = client;
    } else {
      // Of this run, but gone: its state was dropped, not lost by a restart of the server.
      const bool ours = !client && id >> 48 == boot_bits(x_config.boot_id);
      out = refuse(ours ? Status::expired : Status::stale_clientid);
    }
  }
  end(ended);
  return out;
}

}  // namespace outcrop::nfs
