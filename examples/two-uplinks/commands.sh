#!/bin/sh
# What reconciler.yaml beside it describes, as the commands that make it on an empty host. They say it once:
# run again, nearly each of them fails, and nothing tells what is still as it should be.
set -e

ip link set eth0 up
ip address add 192.168.1.2/24 dev eth0
ip link set eth1 up
ip address add 192.168.2.2/24 dev eth1

ip route add default via 192.168.2.1 dev eth1 table 100
ip rule add priority 17000 fwmark 0x10/0xff table 100
ip -6 rule add priority 17000 fwmark 0x10/0xff table 100
ip rule add priority 17020 from 192.168.2.2 table 100

for tool in iptables ip6tables; do
    $tool -A INPUT -m mark --mark 0x10/0xff -j ACCEPT
    $tool -A OUTPUT -m mark --mark 0x10/0xff -j LOG --log-prefix "wan2 "
    $tool -t mangle -A PREROUTING -m connmark ! --mark 0x0/0xff -j CONNMARK --restore-mark --mask 0xff
    $tool -t mangle -A OUTPUT -m mark ! --mark 0x0/0xff -j CONNMARK --save-mark --mask 0xff
done

tc qdisc add dev eth1 root handle 1: htb default 20
tc class add dev eth1 parent 1: classid 1:1 htb rate 10mbit
tc class add dev eth1 parent 1:1 classid 1:10 htb rate 5mbit ceil 10mbit
tc class add dev eth1 parent 1:1 classid 1:20 htb rate 1mbit ceil 10mbit
tc filter add dev eth1 parent 1: protocol all handle 0x10/0xff fw flowid 1:10
