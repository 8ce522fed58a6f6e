"""Code on the machines of a cluster: comparison with this machine's code, and sending it to them."""

from evo.cluster import code

LOOK_S = 60


def environment() -> dict:
    """Ray's runtime environment that sends the packages along.

    Their folder differs between Ray's sessions; machine code is kept in the user's cache, for later sessions too
    (`circuits.numerics.compiled` distinguishes it by the sources and the processor).
    """
    return {
        "py_modules": [str(package) for package in code.PACKAGES],
        "excludes": ["__pycache__", "*.nbi", "*.nbc"],
        "env_vars": {"NUMBA_CACHE_DIR": "${HOME}/.cache/evocircuits"},
    }


def without_this_code() -> str | None:
    """Number of working machines with no or another evocircuits, as "2 of 5"; None if all have this one. Machines that do not
    answer are counted."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    def installed():  # nested, so that it is sent as it stands: the module may be what is missing
        try:
            from evo.cluster.code import digest

            return digest()
        except Exception:
            return None

    nodes = [node["NodeID"] for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) >= 1]
    look = ray.remote(num_cpus=0, max_retries=1)(installed)
    pending = [look.options(scheduling_strategy=NodeAffinitySchedulingStrategy(n, soft=False)).remote() for n in nodes]
    answers = ray.wait(pending, num_returns=len(pending), timeout=LOOK_S)[0] if pending else []
    same = 0
    for answer in answers:
        try:
            same += ray.get(answer) == code.digest()
        except ray.exceptions.RayError:  # the machine has gone
            continue
    return f"{len(nodes) - same} of {len(nodes)}" if same < len(nodes) else None
