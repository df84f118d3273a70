#pragma once

#include "diskann/types.hpp"

namespace diskann::cli {

/// Set by the first SIGINT, SIGTERM or SIGHUP.
CancelToken& interrupt_token() noexcept;
/// From now on the first signal sets the token and the second ends the process at once, without temporary files. Those
/// that were ignored before still are, and SIGXFSZ is.
void install_interrupt_handler();
/// Throws ErrorCode::Cancelled once the token is set.
void throw_if_interrupted();

}  // namespace diskann::cli
