#pragma once

#include "base/threads.hpp"
#include "graph/code_space.hpp"

namespace diskann::index {

/// Whether walks by codes come to where walks by rows would: of a sample of rows, whether most of the ten nearest rows
/// are among the forty nearest by codes (fewer of both where there are few), and hardly a row has lost half of its own.
/// `inverse_norms` by cosine, else null.
bool codes_tell_neighbors(const graph::CodeSpace& space, Distance metric, const float* inverse_norms,
                          base::ThreadTeam& team);

}  // namespace diskann::index
