// EXCHANGE_ID, CREATE_SESSION, DESTROY_SESSION (RFC 8881 18.35 to 18.37).
#include "api/nfs/v4state/client_table.h"

namespace outcrop::nfs {

namespace {

ExchangeIdResult describe(const Client& client) {
  return {
      .client = client.id,
      .sequence = client.create_sequence + 1,
      .flags = kExchangeUseNonPnfs | (client.confirmed ? kExchangeConfirmed : 0),
  };
}

}  // namespace

// The numbers are the cases of RFC 8881 18.35.4.
Outcome<ExchangeIdResult> ClientTable::exchange_id(const ExchangeIdArgs& args,
                                                   const Principal& caller) {
  if ((args.flags & ~kExchangeArgumentMask) != 0 || args.owner.empty() ||
      args.owner.size() > kMaxOwnerBytes || args.protect == StateProtect::machine_credential) {
    return refuse(Status::inval);
  }
  if (args.protect != StateProtect::none) {
    return refuse(Status::encr_alg_unsupp);
  }
  EndedList ended;
  Outcome<ExchangeIdResult> out;
  {
    const std::lock_guard lock(x_mutex);
    const auto it = x_entries.find({true, std::string(args.owner)});
    const ClientRef known = it == x_entries.end() ? nullptr : it->second.confirmed;
    const auto make = [&] {
      return describe(*make_unconfirmed(true, args.owner, args.verifier, caller, ended));
    };
    if ((args.flags & kExchangeUpdateConfirmed) != 0) {
      if (!known) {
        out = refuse(Status::noent);  // 7
      } else if (known->principal != caller) {
        out = refuse(Status::perm);  // 9
      } else if (known->verifier != args.verifier) {
        out = refuse(Status::not_same);  // 8
      } else {
        out = describe(*known);  // 6: there is nothing else to update
      }
    } else if (!known) {
      out = make();  // 1, 4
    } else if (known->principal != caller) {
      if (busy(*known) && !known->expired(x_clock.steady_ns(), x_config.lease_ns)) {
        out = refuse(Status::clid_inuse);  // 3
      } else {
        remove(known, nullptr, ended);
        out = make();
      }
    } else if (known->verifier == args.verifier) {
      out = describe(*known);  // 2
    } else {
      out = make();  // 5: the client restarted; what it had goes when it confirms
    }
  }
  end(ended);
  return out;
}

Outcome<CreateSessionResult> ClientTable::create_session(const CreateSessionArgs& args,
                                                         const Principal& caller,
                                                         std::uint64_t connection) {
  // What is wrong in itself is so before the client's slot is looked at, and does not use it up.
  if ((args.flags & ~(kSessionPersist | kSessionBackChannel | kSessionRdma)) != 0) {
    return refuse(Status::inval);
  }
  const Outcome<CreateSessionResult> granted = x_sessions.negotiate(args);
  EndedList ended;
  Outcome<CreateSessionResult> out;
  {
    const std::lock_guard lock(x_mutex);
    const ClientRef client = lookup(args.client, true, ended);
    if (!client) {
      out = refuse(Status::stale_clientid);
    } else if (!granted) {
      out = refuse(granted.error());
    } else if (client->created && args.sequence == client->create_sequence) {
      out = *client->created;
    } else if (args.sequence != client->create_sequence + 1) {
      out = refuse(Status::seq_misordered);
    } else {
      out = confirm_and_create(client, args, *granted, caller, connection, ended);
      if (out || out.error() != Status::delay) {
        client->create_sequence = args.sequence;
        client->created = out;
      }
    }
  }
  end(ended);
  return out;
}

Outcome<CreateSessionResult> ClientTable::confirm_and_create(const ClientRef& client,
                                                             const CreateSessionArgs& args,
                                                             CreateSessionResult granted,
                                                             const Principal& caller,
                                                             std::uint64_t connection,
                                                             EndedList& ended) {
  if (!client->confirmed) {
    if (client->principal != caller) {
      return refuse(Status::clid_inuse);
    }
    if (!confirm(client, ended)) {
      return refuse(Status::delay);
    }
  }
  const std::lock_guard lock(client->mutex);
  const bool first = client->sessions.empty();
  if (client->sessions.size() >= x_config.limits.sessions_per_client ||
      (!first && x_sessions.crowded())) {
    return refuse(Status::nospc);
  }
  const SessionPtr session = x_sessions.create(client, granted);
  session->callback_program = args.callback_program;
  session->associate(connection);
  if ((granted.flags & kSessionBackChannel) != 0) {
    session->associate_back(connection);
  }
  client->sessions.push_back(session);
  client->renew(x_clock.steady_ns());
  return granted;
}

Status ClientTable::destroy_session(const SessionId& id,
                                    const Principal& caller,
                                    std::uint64_t connection) {
  const SessionPtr session = x_sessions.find(id);
  if (!session) {
    return Status::badsession;
  }
  if (!session->associated(connection) && session->client->principal != caller) {
    return Status::conn_not_bound_to_session;
  }
  {
    const std::lock_guard lock(session->client->mutex);
    std::erase(session->client->sessions, session);
  }
  x_sessions.destroy(*session);
  return Status::ok;
}

}  // namespace outcrop::nfs
