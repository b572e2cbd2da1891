// Owns: names for the OIDs that notifications carry: a compiled table, so that no MIB file is needed to read an event.

const table: readonly (readonly [oid: string, name: string])[] = [
  // SNMPv2-MIB
  ['1.3.6.1.2.1.1.1', 'sysDescr'],
  ['1.3.6.1.2.1.1.2', 'sysObjectID'],
  ['1.3.6.1.2.1.1.3', 'sysUpTime'],
  ['1.3.6.1.2.1.1.4', 'sysContact'],
  ['1.3.6.1.2.1.1.5', 'sysName'],
  ['1.3.6.1.2.1.1.6', 'sysLocation'],
  ['1.3.6.1.6.3.1.1.4.1', 'snmpTrapOID'],
  ['1.3.6.1.6.3.1.1.4.3', 'snmpTrapEnterprise'],
  ['1.3.6.1.6.3.1.1.5.1', 'coldStart'],
  ['1.3.6.1.6.3.1.1.5.2', 'warmStart'],
  ['1.3.6.1.6.3.1.1.5.5', 'authenticationFailure'],
  ['1.3.6.1.6.3.1.1.5.6', 'egpNeighborLoss'],
  // IF-MIB
  ['1.3.6.1.2.1.2.2.1.3', 'ifType'],
  ['1.3.6.1.2.1.2.2.1.5', 'ifSpeed'],
  ['1.3.6.1.2.1.2.2.1.6', 'ifPhysAddress'],
  ['1.3.6.1.2.1.31.1.1.1.18', 'ifAlias'],
  ['1.3.6.1.2.1.2.2.1.1', 'ifIndex'],
  ['1.3.6.1.2.1.2.2.1.2', 'ifDescr'],
  ['1.3.6.1.2.1.2.2.1.7', 'ifAdminStatus'],
  ['1.3.6.1.2.1.2.2.1.8', 'ifOperStatus'],
  ['1.3.6.1.2.1.31.1.1.1.1', 'ifName'],
  ['1.3.6.1.6.3.1.1.5.3', 'linkDown'],
  ['1.3.6.1.6.3.1.1.5.4', 'linkUp'],
  // BRIDGE-MIB
  ['1.3.6.1.2.1.17.0.1', 'newRoot'],
  ['1.3.6.1.2.1.17.0.2', 'topologyChange'],
  // ENTITY-MIB
  ['1.3.6.1.2.1.47.2.0.1', 'entConfigChange'],
  // BGP4-MIB
  ['1.3.6.1.2.1.15.0.1', 'bgpEstablishedNotification'],
  ['1.3.6.1.2.1.15.0.2', 'bgpBackwardTransNotification'],
  ['1.3.6.1.2.1.15.3.1.2', 'bgpPeerState'],
  ['1.3.6.1.2.1.15.3.1.7', 'bgpPeerRemoteAddr'],
  ['1.3.6.1.2.1.15.3.1.14', 'bgpPeerLastError'],
  ['1.3.6.1.2.1.15.7.1', 'bgpEstablished'],
  ['1.3.6.1.2.1.15.7.2', 'bgpBackwardTransition'],
  // What RFC 3584 makes of these two as v1 traps.
  ['1.3.6.1.2.1.15.7.0.1', 'bgpEstablished'],
  ['1.3.6.1.2.1.15.7.0.2', 'bgpBackwardTransition'],
  // CISCO-BGP4-MIB
  ['1.3.6.1.4.1.9.9.187.1.2.5.1.3', 'cbgpPeer2State'],
  ['1.3.6.1.4.1.9.9.187.1.2.5.1.17', 'cbgpPeer2LastError'],
  ['1.3.6.1.4.1.9.9.187.1.2.5.1.28', 'cbgpPeer2LastErrorTxt'],
  ['1.3.6.1.4.1.9.9.187.1.2.5.1.29', 'cbgpPeer2PrevState'],
  ['1.3.6.1.4.1.9.9.187.0.1', 'cbgpFsmStateChange'],
  ['1.3.6.1.4.1.9.9.187.0.2', 'cbgpBackwardTransition'],
  ['1.3.6.1.4.1.9.9.187.0.3', 'cbgpPrefixThresholdExceeded'],
  ['1.3.6.1.4.1.9.9.187.0.5', 'cbgpPeer2EstablishedNotification'],
  ['1.3.6.1.4.1.9.9.187.0.7', 'cbgpPeer2FsmStateChange'],
  ['1.3.6.1.4.1.9.9.187.0.8', 'cbgpPeer2BackwardTransition'],
  ['1.3.6.1.4.1.9.9.187.1.2.1.1.7', 'cbgpPeerLastErrorTxt'],
  ['1.3.6.1.4.1.9.9.187.1.2.1.1.8', 'cbgpPeerPrevState'],
  // OSPF-TRAP-MIB
  ['1.3.6.1.2.1.14.16.2.2', 'ospfNbrStateChange'],
  ['1.3.6.1.2.1.14.16.2.3', 'ospfVirtNbrStateChange'],
  ['1.3.6.1.2.1.14.16.2.16', 'ospfIfStateChange'],
  // VRRP-MIB
  ['1.3.6.1.2.1.68.0.1', 'vrrpTrapNewMaster'],
  ['1.3.6.1.2.1.68.0.2', 'vrrpTrapAuthFailure'],
  ['1.3.6.1.2.1.68.1.3.1', 'vrrpOperEntry'],
  ['1.3.6.1.2.1.68.1.3.1.3', 'vrrpOperState'],
  ['1.3.6.1.2.1.68.1.3.1.7', 'vrrpOperMasterIpAddr'],
  // VRRPV3-MIB
  ['1.3.6.1.2.1.207.0.1', 'vrrpv3NewMaster'],
  ['1.3.6.1.2.1.207.0.2', 'vrrpv3ProtoError'],
  ['1.3.6.1.2.1.207.1.1.1.1', 'vrrpv3OperationsEntry'],
  ['1.3.6.1.2.1.207.1.1.1.1.3', 'vrrpv3OperationsMasterIpAddr'],
  ['1.3.6.1.2.1.207.1.1.1.1.6', 'vrrpv3OperationsStatus'],
  ['1.3.6.1.2.1.207.1.2.5.1.2', 'vrrpv3StatisticsNewMasterReason'],
  // CISCO-HSRP-MIB
  ['1.3.6.1.4.1.9.9.106.1.2.1.1.3', 'cHsrpGrpPriority'],
  ['1.3.6.1.4.1.9.9.106.1.2.1.1.4', 'cHsrpGrpPreempt'],
  ['1.3.6.1.4.1.9.9.106.1.2.1.1.11', 'cHsrpGrpVirtualIpAddr'],
  ['1.3.6.1.4.1.9.9.106.1.2.1.1.13', 'cHsrpGrpActiveRouter'],
  ['1.3.6.1.4.1.9.9.106.1.2.1.1.14', 'cHsrpGrpStandbyRouter'],
  ['1.3.6.1.4.1.9.9.106.1.2.1.1.15', 'cHsrpGrpStandbyState'],
  ['1.3.6.1.4.1.9.9.106.1.2.1.1.16', 'cHsrpGrpVirtualMacAddr'],
  ['1.3.6.1.4.1.9.9.106.1.2.1.1', 'cHsrpGrpEntry'],
  ['1.3.6.1.4.1.9.9.106.2.0.1', 'cHsrpStateChange'],
  // CISCO-PORT-SECURITY-MIB
  // What RFC 3584 makes of the v1 form: traps/CISCO-PORT-SECURITY-MIB.traps says enterprise ...315, the MIB ...315.0.
  ['1.3.6.1.4.1.9.9.315.0.1', 'cpsSecureMacAddrViolation'],
  ['1.3.6.1.4.1.9.9.315.0.2', 'cpsTrunkSecureMacAddrViolation'],
  ['1.3.6.1.4.1.9.9.315.0.3', 'cpsIfVlanSecureMacAddrViolation'],
  ['1.3.6.1.4.1.9.9.315.0.0.1', 'cpsSecureMacAddrViolation'],
  ['1.3.6.1.4.1.9.9.315.0.0.2', 'cpsTrunkSecureMacAddrViolation'],
  ['1.3.6.1.4.1.9.9.315.0.0.3', 'cpsIfVlanSecureMacAddrViolation'],
  ['1.3.6.1.4.1.9.9.315.1.1.6', 'cpsGlobalClearSecureMacAddresses'],
  ['1.3.6.1.4.1.9.9.315.1.2.1.1', 'cpsIfConfigEntry'],
  ['1.3.6.1.4.1.9.9.315.1.2.1.1.1', 'cpsIfPortSecurityEnable'],
  ['1.3.6.1.4.1.9.9.315.1.2.1.1.2', 'cpsIfPortSecurityStatus'],
  ['1.3.6.1.4.1.9.9.315.1.2.1.1.8', 'cpsIfViolationAction'],
  ['1.3.6.1.4.1.9.9.315.1.2.1.1.9', 'cpsIfViolationCount'],
  ['1.3.6.1.4.1.9.9.315.1.2.1.1.10', 'cpsIfSecureLastMacAddress'],
  ['1.3.6.1.4.1.9.9.315.1.2.1.1.14', 'cpsIfClearSecureMacAddresses'],
  ['1.3.6.1.4.1.9.9.315.1.2.1.1.15', 'cpsIfStickyEnable'],
  ['1.3.6.1.4.1.9.9.315.1.2.1.1.18', 'cpsIfSecureLastMacAddrVlanId'],
  ['1.3.6.1.4.1.9.9.315.1.2.2.1.4', 'cpsSecureMacAddrRowStatus'],
  ['1.3.6.1.4.1.9.9.315.1.2.3.1', 'cpsIfVlanSecureMacAddrEntry'],
  ['1.3.6.1.4.1.9.9.315.1.2.3.1.3', 'cpsIfVlanSecureMacAddrType'],
  ['1.3.6.1.4.1.9.9.315.1.2.3.1.5', 'cpsIfVlanSecureMacAddrRowStatus'],
  ['1.3.6.1.4.1.9.9.315.1.2.5.1.4', 'cpsIfMultiVlanClearSecureMacAddr'],
  // CISCO-MAC-NOTIFICATION-MIB
  ['1.3.6.1.4.1.9.9.215.1.1.8.1.2', 'cmnHistMacChangedMsg'],
  ['1.3.6.1.4.1.9.9.215.1.1.8.1.3', 'cmnHistTimestamp'],
  ['1.3.6.1.4.1.9.9.215.1.3.3', 'cmnMACMoveAddress'],
  ['1.3.6.1.4.1.9.9.215.1.3.4', 'cmnMACMoveVlanNumber'],
  ['1.3.6.1.4.1.9.9.215.1.3.5', 'cmnMACMoveFromPortId'],
  ['1.3.6.1.4.1.9.9.215.1.3.6', 'cmnMACMoveToPortId'],
  ['1.3.6.1.4.1.9.9.215.2.0.1', 'cmnMacChangedNotification'],
  ['1.3.6.1.4.1.9.9.215.2.0.2', 'cmnMacMoveNotification'],
  ['1.3.6.1.4.1.9.9.215.2.0.3', 'cmnMacThresholdExceedNotif'],
  // CISCO-CONFIG-MAN-MIB
  ['1.3.6.1.4.1.9.9.43.1.1.1', 'ccmHistoryRunningLastChanged'],
  ['1.3.6.1.4.1.9.9.43.1.1.6.1.3', 'ccmHistoryEventCommandSource'],
  ['1.3.6.1.4.1.9.9.43.1.1.6.1.4', 'ccmHistoryEventConfigSource'],
  ['1.3.6.1.4.1.9.9.43.1.1.6.1.5', 'ccmHistoryEventConfigDestination'],
  ['1.3.6.1.4.1.9.9.43.1.1.6.1.6', 'ccmHistoryEventTerminalType'],
  ['1.3.6.1.4.1.9.9.43.1.1.6.1.8', 'ccmHistoryEventTerminalUser'],
  ['1.3.6.1.4.1.9.9.43.2.0.1', 'ciscoConfigManEvent'],
  ['1.3.6.1.4.1.9.9.43.2.0.2', 'ccmCLIRunningConfigChanged'],
  ['1.3.6.1.4.1.9.9.43.2.0.3', 'ccmCTIDRolledOver'],
  // CISCO-RTTMON-MIB
  ['1.3.6.1.4.1.9.9.42.1.2.1.1.3', 'rttMonCtrlAdminTag'],
  ['1.3.6.1.4.1.9.9.42.1.2.9.1.6', 'rttMonCtrlOperTimeoutOccurred'],
  ['1.3.6.1.4.1.9.9.42.1.2.19.1.2', 'rttMonReactVar'],
  ['1.3.6.1.4.1.9.9.42.1.2.19.1.9', 'rttMonReactValue'],
  ['1.3.6.1.4.1.9.9.42.1.2.19.1.10', 'rttMonReactOccurred'],
  ['1.3.6.1.4.1.9.9.42.2.0.1', 'rttMonConnectionChangeNotification'],
  ['1.3.6.1.4.1.9.9.42.2.0.2', 'rttMonTimeoutNotification'],
  ['1.3.6.1.4.1.9.9.42.2.0.3', 'rttMonThresholdNotification'],
  ['1.3.6.1.4.1.9.9.42.2.0.4', 'rttMonVerifyErrorNotification'],
  ['1.3.6.1.4.1.9.9.42.2.0.5', 'rttMonNotification'],
  // CISCO-EMBEDDED-EVENT-MGR-MIB
  ['1.3.6.1.4.1.9.10.134.0.1', 'cEventMgrServerEvent'],
  ['1.3.6.1.4.1.9.10.134.0.2', 'cEventMgrPolicyEvent'],
  ['1.3.6.1.4.1.9.10.134.1.2.3.1', 'ceemHistoryEventEntry'],
  ['1.3.6.1.4.1.9.10.134.1.2.3.1.7', 'ceemHistoryPolicyName'],
  ['1.3.6.1.4.1.9.10.134.1.2.3.1.9', 'ceemHistoryPolicyIntData1'],
  ['1.3.6.1.4.1.9.10.134.1.2.3.1.11', 'ceemHistoryPolicyStrData'],
  // CISCO-SYSLOG-MIB
  ['1.3.6.1.4.1.9.9.41.1.2.3.1.2', 'clogHistFacility'],
  ['1.3.6.1.4.1.9.9.41.1.2.3.1.3', 'clogHistSeverity'],
  ['1.3.6.1.4.1.9.9.41.1.2.3.1.4', 'clogHistMsgName'],
  ['1.3.6.1.4.1.9.9.41.1.2.3.1.5', 'clogHistMsgText'],
  ['1.3.6.1.4.1.9.9.41.1.2.3.1.6', 'clogHistTimestamp'],
  ['1.3.6.1.4.1.9.9.41.2.0.1', 'clogMessageGenerated'],
  // CISCO-ERR-DISABLE-MIB
  ['1.3.6.1.4.1.9.9.548.0.1.1', 'cErrDisableInterfaceEvent'],
  // What RFC 3584 makes of it as a v1 trap.
  ['1.3.6.1.4.1.9.9.548.0.1.0.1', 'cErrDisableInterfaceEvent'],
  ['1.3.6.1.4.1.9.9.548.0.2', 'cErrDisableInterfaceEventRev1'],
  ['1.3.6.1.4.1.9.9.548.1.3.1.1', 'cErrDisableIfStatusEntry'],
  ['1.3.6.1.4.1.9.9.548.1.3.1.1.2', 'cErrDisableIfStatusCause'],
  // CISCO-STP-EXTENSIONS-MIB
  ['1.3.6.1.4.1.9.9.82.2.0.1', 'stpxInconsistencyUpdate'],
  ['1.3.6.1.4.1.9.9.82.2.0.2', 'stpxRootInconsistencyUpdate'],
  ['1.3.6.1.4.1.9.9.82.2.0.3', 'stpxLoopInconsistencyUpdate'],
  // LLDP-MIB
  ['1.0.8802.1.1.2.0.0.1', 'lldpRemTablesChange'],
  // CISCO-ENTITY-FRU-CONTROL-MIB
  ['1.3.6.1.4.1.9.9.117.2.0.1', 'cefcModuleStatusChange'],
  // CISCO-IETF-BFD-MIB
  ['1.3.6.1.4.1.9.10.137.0.1', 'ciscoBfdSessUp'],
  ['1.3.6.1.4.1.9.10.137.0.2', 'ciscoBfdSessDown'],
  // KEEPALIVED-MIB
  ['1.3.6.1.4.1.9586.100.5.1.2', 'routerId'],
  ['1.3.6.1.4.1.9586.100.5.2.1.1.2', 'vrrpSyncGroupName'],
  ['1.3.6.1.4.1.9586.100.5.2.1.1.3', 'vrrpSyncGroupState'],
  ['1.3.6.1.4.1.9586.100.5.2.3.1.2', 'vrrpInstanceName'],
  ['1.3.6.1.4.1.9586.100.5.2.3.1.3', 'vrrpInstanceVirtualRouterId'],
  ['1.3.6.1.4.1.9586.100.5.2.3.1.4', 'vrrpInstanceState'],
  ['1.3.6.1.4.1.9586.100.5.2.3.1.5', 'vrrpInstanceInitialState'],
  ['1.3.6.1.4.1.9586.100.5.2.10.0.1', 'vrrpSyncGroupStateChange'],
  ['1.3.6.1.4.1.9586.100.5.2.10.0.2', 'vrrpInstanceStateChange'],
  // LIBVIRT-MIB
  ['1.3.6.1.4.1.36957.1.1.1.1', 'libvirtGuestUUID'],
  ['1.3.6.1.4.1.36957.1.1.1.2', 'libvirtGuestName'],
  ['1.3.6.1.4.1.36957.1.1.1.3', 'libvirtGuestState'],
  ['1.3.6.1.4.1.36957.1.1.1.9', 'libvirtGuestRowStatus'],
  ['1.3.6.1.4.1.36957.0.1', 'libvirtGuestNotif'],
  // OSPF-MIB
  ['1.3.6.1.2.1.14.1.1', 'ospfRouterId'],
  ['1.3.6.1.2.1.14.10.1.1', 'ospfNbrIpAddr'],
  ['1.3.6.1.2.1.14.10.1.2', 'ospfNbrAddressLessIndex'],
  ['1.3.6.1.2.1.14.10.1.3', 'ospfNbrRtrId'],
  ['1.3.6.1.2.1.14.10.1.6', 'ospfNbrState'],
  // SNMP-COMMUNITY-MIB
  ['1.3.6.1.6.3.18.1.4', 'snmpTrapCommunity'],
  ['1.3.6.1.6.3.18.1.3', 'snmpTrapAddress'],
  // OLD-CISCO-INTERFACES-MIB and CISCO-VTP-MIB: what IOS puts beside linkDown and the trunk form of a violation
  ['1.3.6.1.4.1.9.2.2.1.1.20', 'locIfReason'],
  ['1.3.6.1.4.1.9.9.46.1.3.1.1.4', 'vtpVlanName'],
  // SNMP-USER-BASED-SM-MIB: what a Report says (RFC 3414 section 5)
  ['1.3.6.1.6.3.15.1.1.1', 'usmStatsUnsupportedSecLevels'],
  ['1.3.6.1.6.3.15.1.1.2', 'usmStatsNotInTimeWindows'],
  ['1.3.6.1.6.3.15.1.1.3', 'usmStatsUnknownUserNames'],
  ['1.3.6.1.6.3.15.1.1.4', 'usmStatsUnknownEngineIDs'],
  ['1.3.6.1.6.3.15.1.1.5', 'usmStatsWrongDigests'],
  ['1.3.6.1.6.3.15.1.1.6', 'usmStatsDecryptionErrors'],
];

const names: ReadonlyMap<string, string> = new Map(table);
/** Arcs of the longest OID in the table: looking deeper finds nothing. */
const arcsMax = Math.max(...table.map(([oid]) => oid.split('.').length));

/** Where the first `arcsMax` arcs of the OID end. */
function deepestPrefix(oid: string): number {
  let at = -1;
  for (let arcs = 0; arcs < arcsMax; arcs++) {
    at = oid.indexOf('.', at + 1);
    if (at < 0) return oid.length;
  }
  return at;
}

/** `1.3.6.1.4.1.9.9.106.1.2.1.1.15.3.1` → `cHsrpGrpStandbyState.3.1`: the longest prefix known, and the rest as it is. */
export function nameOf(oid: string): string | undefined {
  for (let at = deepestPrefix(oid); at > 0; at = oid.lastIndexOf('.', at - 1)) {
    const name = names.get(oid.slice(0, at));
    if (name) return name + oid.slice(at);
  }
  return undefined;
}
