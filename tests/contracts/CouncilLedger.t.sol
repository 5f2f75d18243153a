// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAuthority} from "../../contracts/interfaces/IAuthority.sol";
import {ICouncil} from "../../contracts/interfaces/ICouncil.sol";
import {ICredits} from "../../contracts/interfaces/ICredits.sol";
import {IMemberships} from "../../contracts/interfaces/IMemberships.sol";
import {IOrganisations} from "../../contracts/interfaces/IOrganisations.sol";
import {Proposals} from "./Proposals.sol";
import {Stage} from "./Stage.sol";

/// @title A ledger whose programme is run by its council, and by nobody alone
/// @notice The first programme's seat is its registrar, treasurer and council, and no person is. The
/// alliance's seat is its registrar and council.
contract CouncilLedgerTest is Stage, Proposals {
    address private _seat;
    address private _allianceSeat;

    function setUp() public override {
        super.setUp();
        _appointCouncillors();
        _seat = councils.seatOf(FIRST);
        _allianceSeat = councils.seatOf(0);
        _appoint(REGISTRAR_ROLE, FIRST, _seat);
        _appoint(TREASURER_ROLE, FIRST, _seat);
        _appoint(COUNCIL_ROLE, FIRST, _seat);
        _appoint(REGISTRAR_ROLE, 0, _allianceSeat);
        _appoint(COUNCIL_ROLE, 0, _allianceSeat);
        _dismiss(REGISTRAR_ROLE, 0, registrar);
        _dismiss(COUNCIL_ROLE, 0, council);
    }

    function test_seat__registers_and_admits() public {
        _carried(
            0, address(organisations), abi.encodeCall(organisations.register, (_newcomers(1), "registration"))
        );
        vm.assertEq(organisations.controllerOf(7), _controller(7), "registered");
        _carried(FIRST, address(memberships), _admission(7));
        vm.assertTrue(memberships.inGoodStanding(FIRST, 7), "member");
        vm.assertFalse(memberships.inGoodStanding(SECOND, 7), "of the first only");
    }

    function test_seat__awards_over_any_issuers_budget() public {
        uint64 amount = 50 * PER_EPOCH;
        bytes memory data = abi.encodeCall(credits.award, (FIRST, _awards(1, amount), "award"));
        vm.expectRevert(abi.encodeWithSelector(ICredits.CreditsAwardOverLimit.selector, issuer, amount, PER_AWARD));
        vm.prank(issuer);
        credits.award(FIRST, _awards(1, amount), "award");
        uint64 line = credits.sequence();
        _watch(address(credits));
        _carried(FIRST, address(credits), data);
        _assertLine(
            abi.encode(
                ICredits.EntryPosted.selector,
                line + 1,
                FIRST,
                1,
                ICredits.Kind.Award,
                DATA,
                amount,
                amount,
                EVIDENCE,
                0,
                _seat,
                bytes32("award")
            )
        );
        vm.assertEq(credits.balanceOf(FIRST, 1), int64(amount), "balance");
    }

    function test_seat__sets_budgets() public {
        _carried(
            FIRST, address(programmes), abi.encodeCall(programmes.setBudget, (FIRST, stranger, 10, 20, "budget"))
        );
        _appoint(ISSUER_ROLE, FIRST, stranger);
        vm.prank(stranger);
        credits.award(FIRST, _awards(2, 10), "award");
        vm.assertEq(credits.balanceOf(FIRST, 2), 10, "balance");
    }

    function test_alliances_seat__recovers_an_organisation() public {
        address successor = _account("successor");
        address lost = organisations.controllerOf(1);
        _carried(
            0,
            address(organisations),
            abi.encodeCall(organisations.beginRecovery, (1, successor, EVIDENCE, "recovery"))
        );
        (address named, uint40 finishableFrom) = organisations.recoveryOf(1);
        vm.assertEq(named, successor, "successor");
        vm.assertEq(finishableFrom, NOW + RECOVERY_DELAY, "first second");

        bytes memory finishing = abi.encodeCall(organisations.finishRecovery, (1, "finished"));
        ICouncil.Call[] memory calls = _calls(address(organisations), finishing);
        vm.warp(finishableFrom - 1);
        uint64 proposalId = _agreed(0, calls);
        vm.expectRevert(
            abi.encodeWithSelector(IOrganisations.OrganisationsRecoveryTooEarly.selector, 1, finishableFrom)
        );
        vm.prank(wide);
        councils.execute(proposalId, calls, "execution");
        vm.assertEq(organisations.controllerOf(1), lost, "not yet");
        vm.warp(finishableFrom);
        _execute(wide, proposalId, calls);
        vm.assertEq(organisations.controllerOf(1), successor, "recovered");
    }

    function test_programmes_seat__recovering__is_refused() public {
        bytes memory data =
            abi.encodeCall(organisations.beginRecovery, (1, _account("successor"), EVIDENCE, "recovery"));
        uint64 proposalId = _agreed(FIRST, _calls(address(organisations), data));
        vm.expectRevert(_roleMissing(_seat, COUNCIL_ROLE, 0));
        vm.prank(maker);
        councils.execute(proposalId, _calls(address(organisations), data), "execution");
    }

    function test_seat__changes_how_many_approvals_its_council_needs() public {
        uint64 before = _propose(maker, FIRST, _calls(address(credits), _award(1)));
        _carried(FIRST, address(programmes), abi.encodeCall(programmes.changeApprovalsNeeded, (FIRST, 3, "three")));
        vm.assertEq(councils.proposal(before).approvalsNeeded, 2, "of an earlier proposal");
        uint64 proposalId = _propose(maker, FIRST, _calls(address(credits), _award(1)));
        vm.assertEq(councils.proposal(proposalId).approvalsNeeded, 3, "of a later one");
    }

    /// @dev Several calls are one decision: all or none.
    function test_proposal__that_admits_and_awards__does_both_or_neither() public {
        ICouncil.Call[] memory calls = new ICouncil.Call[](3);
        calls[0] = ICouncil.Call(address(memberships), _admission(5));
        calls[1] = ICouncil.Call(address(credits), _award(5));
        calls[2] = ICouncil.Call(address(credits), _award(6));
        uint64 proposalId = _agreed(FIRST, calls);
        vm.expectRevert(abi.encodeWithSelector(IMemberships.MembershipsUnknown.selector, FIRST, 6));
        vm.prank(maker);
        councils.execute(proposalId, calls, "execution");
        vm.assertFalse(memberships.inGoodStanding(FIRST, 5), "admitted");

        calls[2] = ICouncil.Call(address(credits), _award(4));
        proposalId = _agreed(FIRST, calls);
        _execute(maker, proposalId, calls);
        vm.assertTrue(memberships.inGoodStanding(FIRST, 5), "admitted");
        vm.assertEq(credits.balanceOf(FIRST, 5), 100, "awarded");
        vm.assertEq(credits.balanceOf(FIRST, 4), 100, "awarded, too");
    }

    /// @dev The operation ids within the calls are the other contracts': a proposal that was carried out
    /// cannot be proposed and carried out again by mistake.
    function test_proposal__made_twice__is_carried_out_once() public {
        ICouncil.Call[] memory calls = _calls(address(credits), _award(1));
        uint64 one = _agreed(FIRST, calls);
        uint64 two = _agreed(FIRST, calls);
        _execute(maker, one, calls);
        bytes memory failure = abi.encodeWithSignature(
            "JournalOperationDone(bytes32,uint64)", keccak256(abi.encode(1)), credits.sequence()
        );
        vm.expectRevert(failure);
        vm.prank(maker);
        councils.execute(two, calls, "execution");
        vm.assertEq(credits.balanceOf(FIRST, 1), 100, "balance");
    }

    function test_nobody_alone__does_what_the_council_does() public {
        address[6] memory people = [maker, wide, council, registrar, admin, issuer];
        for (uint256 i = 0; i < 6; ++i) {
            vm.expectRevert(_roleMissing(people[i], REGISTRAR_ROLE, FIRST));
            vm.prank(people[i]);
            memberships.admit(FIRST, _admissions(5, FULL, EXPIRY), REASON, "alone");
        }
    }

    function _admission(uint32 orgId) private view returns (bytes memory) {
        return abi.encodeCall(
            memberships.admit, (FIRST, _admissions(orgId, FULL, EXPIRY), REASON, keccak256(abi.encode(orgId)))
        );
    }

    function _award(uint32 orgId) private view returns (bytes memory) {
        return abi.encodeCall(credits.award, (FIRST, _awards(orgId, 100), keccak256(abi.encode(orgId))));
    }

    function _roleMissing(address account, bytes32 name, uint16 programmeId) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAuthority.AuthorityRoleMissing.selector, account, name, programmeId);
    }
}
