import subprocess, time, os
def test_cost(lab):
    n = lab.namespace("x")
    for name, f in {"true": lambda: subprocess.run(["/bin/true"]), "true-env": lambda: subprocess.run(["true"], capture_output=True, text=True, env=dict(os.environ)), "ip": lambda: subprocess.run(["ip", "-V"], capture_output=True), "spawn": lambda: os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0), "spawnip": lambda: os.waitpid(os.posix_spawn("/usr/sbin/ip", ["ip", "rule"], {}), 0), "lab": lambda: n.run("ip", "rule"), "call": lambda: n.call(int)}.items():
        t = time.time()
        for i in range(20): f()
        print("COST", name, (time.time()-t)/20*1000, "ms", flush=True)
