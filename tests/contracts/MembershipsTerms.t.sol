// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC5192} from "../../contracts/interfaces/IERC5192.sol";
import {IMemberships} from "../../contracts/interfaces/IMemberships.sol";
import {IOrganisations} from "../../contracts/interfaces/IOrganisations.sol";
import {IProgrammes} from "../../contracts/interfaces/IProgrammes.sol";
import {Members} from "./Members.sol";
import {Vm} from "./Vm.sol";

/// @title Admission, renewal, tier
contract MembershipsTermsTest is Members {
    // --- admit

    function test_admit__several__are_active_and_hold_tokens() public {
        IMemberships.Admission[] memory given = new IMemberships.Admission[](2);
        given[0] = IMemberships.Admission(5, FULL, NOW + 1, "evidence of 5");
        given[1] = IMemberships.Admission(6, OBSERVER, LAST_TIME, 0);
        bytes[] memory lines = new bytes[](2);
        _watch(address(memberships));
        for (uint32 i = 0; i < 2; ++i) {
            lines[i] = bytes.concat(
                abi.encode(IMemberships.MembershipAdmitted.selector, _number(i + 1), FIRST, given[i].orgId),
                abi.encode(given[i].tier, given[i].expiresAt, REASON, given[i].evidence, registrar, OPERATION)
            );
        }
        vm.prank(registrar);
        memberships.admit(FIRST, given, REASON, OPERATION);
        Vm.Log[] memory echoes = _assertLines(lines);
        vm.assertEq(echoes.length, 4, "echoes");
        for (uint32 i = 0; i < 2; ++i) {
            _assertTransfer(echoes[2 * i], address(0), _controller(5 + i), FIRST, 5 + i);
            _assertEcho(
                echoes[2 * i + 1], abi.encode(IERC5192.Locked.selector), abi.encode(_tokenId(FIRST, 5 + i))
            );
            _assertMembership(5 + i, IMemberships.Status.Active, given[i].tier, NOW, given[i].expiresAt);
        }
        vm.assertEq(uint8(memberships.membership(SECOND, 5).status), 0, "in the other programme");
    }

    function test_admit__unknown_organisation__is_refused() public {
        uint32[2] memory unknown = [uint32(0), 7];
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory failure = abi.encodeWithSelector(IOrganisations.OrganisationsUnknown.selector, unknown[i]);
            _send(address(memberships), registrar, _admission(FIRST, unknown[i], FULL, EXPIRY), failure);
        }
    }

    function test_admit__member_already__is_refused() public {
        bytes memory failure = abi.encodeWithSelector(IMemberships.MembershipsAlreadyMember.selector, FIRST, 3);
        _send(address(memberships), registrar, _admission(FIRST, 3, FULL, EXPIRY), failure);
        _plain(0, 3, "");
        _send(address(memberships), registrar, _admission(FIRST, 3, FULL, EXPIRY), failure);
        vm.warp(EXPIRY); // lapsed is a member too
        _send(address(memberships), registrar, _admission(FIRST, 3, FULL, EXPIRY + 10), failure);
    }

    function test_admit__twice_in_one_batch__is_refused() public {
        IMemberships.Admission[] memory twice = new IMemberships.Admission[](2);
        twice[0] = twice[1] = IMemberships.Admission(5, FULL, EXPIRY, EVIDENCE);
        vm.expectRevert(abi.encodeWithSelector(IMemberships.MembershipsAlreadyMember.selector, FIRST, 5));
        vm.prank(registrar);
        memberships.admit(FIRST, twice, REASON, OPERATION);
        vm.assertEq(uint8(memberships.membership(FIRST, 5).status), 0, "none is admitted");
    }

    function test_admit__unknown_or_closed_tier__is_refused() public {
        bytes memory failure = abi.encodeWithSelector(IProgrammes.ProgrammesTierUnknown.selector, FIRST, 3);
        _send(address(memberships), registrar, _admission(FIRST, 5, 3, EXPIRY), failure);
        vm.prank(council);
        programmes.setTierOpen(FIRST, FULL, false, OPERATION);
        failure = abi.encodeWithSelector(IProgrammes.ProgrammesTierClosed.selector, FIRST, FULL);
        _send(address(memberships), registrar, _admission(FIRST, 5, FULL, EXPIRY), failure);
        _send(address(memberships), registrar, _admission(FIRST, 5, OBSERVER, EXPIRY), "");
    }

    function test_admit__no_tier_or_one_closed_after_open_ones__is_refused() public {
        bytes memory failure = abi.encodeWithSelector(IProgrammes.ProgrammesTierUnknown.selector, FIRST, 0);
        _send(address(memberships), registrar, _admission(FIRST, 5, 0, EXPIRY), failure);
        _changesTier(3, 0, failure);
        vm.prank(council);
        programmes.setTierOpen(FIRST, OBSERVER, false, OPERATION);
        IMemberships.Admission[] memory two = new IMemberships.Admission[](2);
        two[0] = IMemberships.Admission(5, FULL, EXPIRY, EVIDENCE);
        two[1] = IMemberships.Admission(6, OBSERVER, EXPIRY, EVIDENCE);
        bytes memory data = abi.encodeCall(memberships.admit, (FIRST, two, REASON, _operation()));
        failure = abi.encodeWithSelector(IProgrammes.ProgrammesTierClosed.selector, FIRST, OBSERVER);
        _send(address(memberships), registrar, data, failure);
        two[1].tier = FULL;
        data = abi.encodeCall(memberships.admit, (FIRST, two, REASON, _operation()));
        _send(address(memberships), registrar, data, "");
    }

    function test_admit__expiry_not_in_the_future_or_out_of_calendars__is_refused() public {
        _send(address(memberships), registrar, _admission(FIRST, 5, FULL, NOW), _tooEarly(5, NOW, NOW + 1));
        _send(address(memberships), registrar, _admission(FIRST, 5, FULL, 0), _tooEarly(5, 0, NOW + 1));
        _send(
            address(memberships), registrar, _admission(FIRST, 5, FULL, LAST_TIME + 1), _tooLate(5, LAST_TIME + 1)
        );
        _send(
            address(memberships),
            registrar,
            _admission(FIRST, 5, FULL, type(uint40).max),
            _tooLate(5, type(uint40).max)
        );
        _send(address(memberships), registrar, _admission(FIRST, 5, FULL, NOW + 1), "");
    }

    function test_admit__after_a_revocation__begins_anew() public {
        _plain(2, 3, "");
        vm.warp(NOW + 100);
        _watch(address(memberships));
        vm.prank(registrar);
        memberships.admit(FIRST, _admissions(3, OBSERVER, NOW + 200), REASON, OPERATION);
        Vm.Log[] memory echoes = _assertLine(
            bytes.concat(
                abi.encode(IMemberships.MembershipAdmitted.selector, _number(1), FIRST, 3),
                abi.encode(OBSERVER, NOW + 200, REASON, EVIDENCE, registrar, OPERATION)
            )
        );
        _assertTransfer(echoes[0], address(0), _controller(3), FIRST, 3);
        _assertMembership(3, IMemberships.Status.Active, OBSERVER, NOW + 100, NOW + 200);
        vm.assertTrue(memberships.inGoodStanding(FIRST, 3), "standing");
    }

    // --- renew

    function test_renew__later__moves_the_expiry_only() public {
        _watch(address(memberships));
        vm.prank(registrar);
        memberships.renew(FIRST, _renewals(3, EXPIRY + 1), REASON, EVIDENCE, OPERATION);
        Vm.Log[] memory echoes = _assertLine(
            bytes.concat(
                abi.encode(IMemberships.MembershipRenewed.selector, _number(1), FIRST, 3, EXPIRY + 1),
                abi.encode(REASON, EVIDENCE, registrar, OPERATION)
            )
        );
        _assertUpdated(echoes, 3);
        _assertMembership(3, IMemberships.Status.Active, FULL, NOW, EXPIRY + 1);
    }

    function test_renew__not_later_or_out_of_calendars__is_refused() public {
        _renews(3, EXPIRY, _tooEarly(3, EXPIRY, EXPIRY + 1));
        _renews(3, NOW + 1, _tooEarly(3, NOW + 1, EXPIRY + 1));
        _renews(3, LAST_TIME + 1, _tooLate(3, LAST_TIME + 1));
        _renews(3, LAST_TIME, "");
        _renews(3, LAST_TIME, _tooEarly(3, LAST_TIME, LAST_TIME + 1));
    }

    function test_renew__lapsed__must_lie_in_the_future() public {
        vm.warp(EXPIRY + 50);
        vm.assertFalse(memberships.inGoodStanding(FIRST, 3), "lapsed");
        _renews(3, EXPIRY + 50, _tooEarly(3, EXPIRY + 50, EXPIRY + 51));
        _renews(3, EXPIRY + 51, "");
        vm.assertTrue(memberships.inGoodStanding(FIRST, 3), "in good standing again");
    }

    function test_renew__suspended__stays_suspended() public {
        _plain(0, 3, "");
        _renews(3, EXPIRY + 1, "");
        _assertMembership(3, IMemberships.Status.Suspended, FULL, NOW, EXPIRY + 1);
    }

    function test_renew__unknown_or_revoked__is_refused() public {
        _renews(5, EXPIRY + 1, abi.encodeWithSelector(IMemberships.MembershipsUnknown.selector, FIRST, 5));
        _plain(2, 3, "");
        _renews(3, EXPIRY + 1, abi.encodeWithSelector(IMemberships.MembershipsRevoked.selector, FIRST, 3));
    }

    // --- changeTier

    function test_changeTier__another__changes_the_tier_only() public {
        _watch(address(memberships));
        vm.prank(registrar);
        memberships.changeTier(FIRST, _tierChanges(3, OBSERVER), REASON, EVIDENCE, OPERATION);
        Vm.Log[] memory echoes = _assertLine(
            bytes.concat(
                abi.encode(IMemberships.MembershipTierChanged.selector, _number(1), FIRST, 3, OBSERVER),
                abi.encode(REASON, EVIDENCE, registrar, OPERATION)
            )
        );
        _assertUpdated(echoes, 3);
        _assertMembership(3, IMemberships.Status.Active, OBSERVER, NOW, EXPIRY);
    }

    function test_changeTier__same_unknown_or_closed__is_refused() public {
        _changesTier(
            3, FULL, abi.encodeWithSelector(IMemberships.MembershipsTierUnchanged.selector, FIRST, 3, FULL)
        );
        _changesTier(3, 9, abi.encodeWithSelector(IProgrammes.ProgrammesTierUnknown.selector, FIRST, 9));
        vm.prank(council);
        programmes.setTierOpen(FIRST, OBSERVER, false, OPERATION);
        _changesTier(
            3, OBSERVER, abi.encodeWithSelector(IProgrammes.ProgrammesTierClosed.selector, FIRST, OBSERVER)
        );
    }

    function test_changeTier__unknown_or_revoked__is_refused() public {
        _changesTier(5, OBSERVER, abi.encodeWithSelector(IMemberships.MembershipsUnknown.selector, FIRST, 5));
        _plain(2, 3, "");
        _changesTier(3, OBSERVER, abi.encodeWithSelector(IMemberships.MembershipsRevoked.selector, FIRST, 3));
    }

    function test_changeTier__suspended_or_lapsed__is_done() public {
        _plain(0, 3, "");
        _changesTier(3, OBSERVER, "");
        _assertMembership(3, IMemberships.Status.Suspended, OBSERVER, NOW, EXPIRY);
        vm.warp(EXPIRY);
        _changesTier(4, OBSERVER, "");
        _assertMembership(4, IMemberships.Status.Active, OBSERVER, NOW, EXPIRY);
    }
}
